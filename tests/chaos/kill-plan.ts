import { seededRandom } from './random.ts';

export type Victim = 'child' | 'worker' | 'orchestrator' | 'server';

/**
 * One `kill -9`: how many images have to be finished after the one before, and how long after that it comes; of what; and for how
 * long a server then stays away.
 */
export type Kill = { images: number; pauseMs: number; victim: Victim; which: number; downMs: number };

/** Renderers are what a fleet has most of and what dies most; a server's death stops everything else. */
const WEIGHTS: Record<Victim, number> = { child: 10, worker: 4, orchestrator: 4, server: 2 };

/**
 * With fewer, a slow machine would be killed faster than it works, and images would use up their attempts. The pause puts the
 * kill anywhere in the images that follow.
 */
const MOST_IMAGES = 3;
const LONGEST_PAUSE_MS = 1_000;
const LONGEST_DOWN_MS = 1_000;

/** The same for the same seed. `which` picks among the victims of a kind that are alive by then. */
export function killPlan(seed: number, kills: number): Kill[] {
  const random = seededRandom(seed);
  return Array.from({ length: kills }, () => ({
    images: random.between(0, MOST_IMAGES),
    pauseMs: random.between(0, LONGEST_PAUSE_MS),
    victim: random.weighted(WEIGHTS),
    which: random.between(0, 999),
    downMs: random.between(0, LONGEST_DOWN_MS),
  }));
}
