import { z } from 'zod';
import { RENDER_ATTEMPTS, RENDER_LOST_BESIDE_OTHERS } from '../workflows/contract/limits.ts';

/**
 * What became of a job's attempts up to one of them, as heartbeats hand it on. The server counts all attempts alike;
 * only those that failed say something about the job.
 */
export type AttemptCounts = {
  /** The attempt that these counts are from. */
  attempt: number;
  /** Its failure included, once it is over. */
  failed: number;
  /**
   * Attempts that ended without reporting: their workers died or lost their connection. Beside others the image need not
   * have been the reason, so that beyond some of them only those count in which it was alone.
   */
  lost: number;
  /** Whether that attempt has reported its own end. */
  isOver: boolean;
  /** Whether the image is being made just now, and no other on its worker. */
  isAlone: boolean;
  /** Whether it has ended a renderer process, by itself. It gets one to itself from then on. */
  hasCrashed: boolean;
};

/**
 * How an attempt that reported its end ended: `crashed` if it failed with its renderer process, `interrupted` by its
 * worker's end or by a person who pauses it, or `reset` by one.
 */
export type AttemptEnd = 'failed' | 'crashed' | 'interrupted' | 'reset';

const count = z.int().min(0);
const detailsSchema = z.object({
  attempts: z.object({
    attempt: count,
    failed: count,
    lost: count,
    isOver: z.boolean(),
    // Workers of earlier versions do not report these.
    isAlone: z.boolean().default(false),
    hasCrashed: z.boolean().default(false),
  }),
});

const NOTHING_YET = { failed: 0, lost: 0, isAlone: false, hasCrashed: false };

/** Whether neighbours may have cost an image as many attempts as they may. */
export const mustBeAlone = ({ lost }: AttemptCounts): boolean => lost >= RENDER_LOST_BESIDE_OTHERS;

/**
 * Counts for an attempt that begins.
 *
 * @param attempt counted by the server from 1, and from 1 again where a person resets the activity
 * @param details of the last heartbeat, `undefined` where there was none
 */
export function countsFor(attempt: number, details: unknown): AttemptCounts {
  const now = { ...NOTHING_YET, attempt, isOver: false };
  const told = detailsSchema.safeParse(details).data?.attempts;
  if (told === undefined) {
    const before = attempt - 1;
    if (details === undefined) return { ...now, lost: lostBesideOthers(0, before) };
    // Workers of an earlier version did not report it; this attempt is one more try at least.
    return { ...now, failed: Math.min(before, RENDER_ATTEMPTS - 1) };
  }
  if (attempt <= told.attempt) return now;
  const { failed, hasCrashed } = told;
  const silent = attempt - told.attempt - (told.isOver ? 1 : 0);
  // An image that is to be alone reports it before it begins: attempts since then, of which nothing is known, had not.
  const lost = told.isAlone ? told.lost + 1 : lostBesideOthers(told.lost, silent);
  return { ...now, failed, lost, hasCrashed };
}

const lostBesideOthers = (lost: number, silent: number): number =>
  Math.max(lost, Math.min(lost + silent, RENDER_LOST_BESIDE_OTHERS));

/** The same counts once the attempt has ended. */
export function countsAfter(counts: AttemptCounts, end: AttemptEnd): AttemptCounts {
  const over = { ...counts, isOver: true, isAlone: false };
  if (end === 'reset') return { ...over, ...NOTHING_YET };
  if (end === 'interrupted') return over;
  return { ...over, failed: counts.failed + 1, hasCrashed: counts.hasCrashed || end === 'crashed' };
}
