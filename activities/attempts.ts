import { z } from 'zod';
import { RENDER_ATTEMPTS } from '../workflows/contract/limits.ts';

/**
 * What became of a job's attempts up to one of them, as heartbeats hand it on. The server counts all attempts alike;
 * only those that failed say something about the job.
 */
export type AttemptCounts = {
  /** The attempt that these counts are from. */
  attempt: number;
  /** Its failure included, once it is over. */
  failed: number;
  /** Attempts that ended without reporting: their workers died or lost their connection. */
  lost: number;
  /** Whether that attempt has reported its own end. */
  isOver: boolean;
};

/**
 * How an attempt that reported its end ended: `interrupted` by its worker's end or by a person who pauses it, or
 * `reset` by one.
 */
export type AttemptEnd = 'failed' | 'interrupted' | 'reset';

const count = z.int().min(0);
const detailsSchema = z.object({
  attempts: z.object({ attempt: count, failed: count, lost: count, isOver: z.boolean() }),
});

/**
 * Counts for an attempt that begins.
 *
 * @param attempt counted by the server from 1, and from 1 again where a person resets the activity
 * @param details of the last heartbeat, `undefined` where there was none
 */
export function countsFor(attempt: number, details: unknown): AttemptCounts {
  const now = { attempt, isOver: false };
  const told = detailsSchema.safeParse(details).data?.attempts;
  if (told === undefined) {
    const before = attempt - 1;
    if (details === undefined) return { ...now, failed: 0, lost: before };
    // Workers of an earlier version did not report it; this attempt is one more try at least.
    return { ...now, failed: Math.min(before, RENDER_ATTEMPTS - 1), lost: 0 };
  }
  if (attempt <= told.attempt) return { ...now, failed: 0, lost: 0 };
  const silent = attempt - told.attempt - (told.isOver ? 1 : 0);
  return { ...now, failed: told.failed, lost: told.lost + silent };
}

/** The same counts once the attempt has ended. */
export function countsAfter({ attempt, failed, lost }: AttemptCounts, end: AttemptEnd): AttemptCounts {
  if (end === 'reset') return { attempt, failed: 0, lost: 0, isOver: true };
  return { attempt, failed: failed + (end === 'failed' ? 1 : 0), lost, isOver: true };
}
