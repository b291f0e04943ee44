import { seededRandom } from './random.ts';

export type Victim = 'child' | 'worker' | 'orchestrator' | 'server';

/** One `kill -9`: how long after the one before, of what, and for how long a server then stays away. */
export type Kill = { pauseMs: number; victim: Victim; which: number; downMs: number };

/** Renderers are what a fleet has most of and what dies most; a server's death stops everything else. */
const WEIGHTS: Record<Victim, number> = { child: 12, worker: 3, orchestrator: 3, server: 2 };

const LONGEST_PAUSE_MS = 1_000;
const LONGEST_DOWN_MS = 1_000;

/** The same for the same seed. `which` picks among the victims of a kind that are alive by then. */
export function killPlan(seed: number, kills: number): Kill[] {
  const random = seededRandom(seed);
  return Array.from({ length: kills }, () => ({
    pauseMs: random.between(0, LONGEST_PAUSE_MS),
    victim: random.weighted(WEIGHTS),
    which: random.between(0, 999),
    downMs: random.between(0, LONGEST_DOWN_MS),
  }));
}
