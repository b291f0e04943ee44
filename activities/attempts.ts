import { z } from 'zod';
import { RENDER_ATTEMPTS, RENDER_LOST_BESIDE_OTHERS } from '../workflows/contract/limits.ts';

/**
 * How a job's attempts ended, up to one of them. Heartbeats carry this to the next attempt, since the server counts all
 * attempts alike, though many end for reasons that have nothing to do with the job.
 */
export type AttemptCounts = {
  /** The attempt that these counts are from. */
  attempt: number;
  /** Attempts that failed, this one included once it is over. */
  failed: number;
  /**
   * Attempts that ended without reporting, because their worker died or lost its connection. Other images on that worker
   * may have been the cause, so after RENDER_LOST_BESIDE_OTHERS of them only attempts in which the image was alone count.
   */
  lost: number;
  /** Whether that attempt has reported its own end. */
  isOver: boolean;
  /** Whether its worker is making this image now, and no other. */
  isAlone: boolean;
  /** Whether this image alone has crashed a renderer process. From then on it gets a process to itself. */
  hasCrashed: boolean;
};

/**
 * How an attempt that reported its end ended: `crashed` if its renderer process died with it, `interrupted` if its worker
 * stopped or a person paused the activity, `reset` if a person reset it.
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

/** Whether an image has lost so many attempts beside others that it has to be made alone. */
export const mustBeAlone = ({ lost }: AttemptCounts): boolean => lost >= RENDER_LOST_BESIDE_OTHERS;

/**
 * Counts for an attempt that begins.
 *
 * @param attempt counted by the server from 1, and from 1 again after a person has reset the activity
 * @param details of the last heartbeat, `undefined` if there was none
 */
export function countsFor(attempt: number, details: unknown): AttemptCounts {
  const now = { ...NOTHING_YET, attempt, isOver: false };
  const reported = detailsSchema.safeParse(details).data?.attempts;
  if (reported === undefined) {
    const before = attempt - 1;
    if (details === undefined) return { ...now, lost: lostBesideOthers(0, before) };
    // Workers of earlier versions report no counts. Whatever happened, the image gets at least this attempt.
    return { ...now, failed: Math.min(before, RENDER_ATTEMPTS - 1) };
  }
  if (attempt <= reported.attempt) return now;
  const { failed, hasCrashed } = reported;
  const silent = attempt - reported.attempt - (reported.isOver ? 1 : 0);
  // An image that has to be alone reports so before it begins. Silent attempts after that report never began.
  const lost = reported.isAlone ? reported.lost + 1 : lostBesideOthers(reported.lost, silent);
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
