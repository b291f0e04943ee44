import type { Payload } from '@temporalio/common';

/** Part of an activity's heartbeat: what its attempt waits for, and since when (ISO 8601) where that is known. */
export type WaitingHeartbeat = { waitsFor: string | null; waitsSince?: string };

/**
 * The same of a picture that is painted: how many of its denoising steps are done, and whose it is, which an earlier version does not say.
 * Temporal's UI shows it with the pending activity, where it shows no summary.
 */
export type StepHeartbeat = {
  /** The activity's summary: the id, with the beginning of the prompt where histories may have it. */
  image?: string;
  id?: string;
  step: number;
  steps: number;
};

/** Of Temporal's API; as `describe` tells it of a workflow. */
type PendingActivity = {
  state?: unknown;
  heartbeatDetails?: { payloads?: Payload[] | null } | null;
};

/** `PENDING_ACTIVITY_STATE_SCHEDULED` of Temporal's API. */
const SCHEDULED = 1;

/** Whether a worker has it in hand; otherwise it is in the queue, or between two attempts. */
export const isInHand = ({ state }: PendingActivity): boolean => state !== SCHEDULED;

/** `PENDING_ACTIVITY_STATE_PAUSED` of Temporal's API. */
const PAUSED = 4;

/** Whether somebody paused it in Temporal's UI, and no worker has it any more: it waits until that is undone there. */
export const isPausedByHand = ({ state }: PendingActivity): boolean => state === PAUSED;

/**
 * What an attempt says that it waits for; `null` where it does not wait, or none is under way.
 *
 * @param read what reads a payload, as the client does that asked
 */
export async function waitOf(
  pending: PendingActivity,
  read: (payload: Payload) => Promise<Partial<WaitingHeartbeat> | null | undefined>,
): Promise<{ waitsFor: string; since: Date | null } | null> {
  const [payload] = pending.heartbeatDetails?.payloads ?? [];
  if (!isInHand(pending) || !payload) return null;
  const told = await read(payload);
  if (!told?.waitsFor) return null;
  return { waitsFor: told.waitsFor, since: told.waitsSince === undefined ? null : new Date(told.waitsSince) };
}
