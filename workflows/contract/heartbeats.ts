import type { Payload } from '@temporalio/common';

/** Part of an activity's heartbeat: what its attempt waits for, and since when (ISO 8601) if known. */
export type WaitingHeartbeat = { waitsFor: string | null; waitsSince?: string };

/**
 * The heartbeat while a picture is denoised: the number of steps done, and which image it is (missing from earlier
 * versions). Temporal's UI shows it with the pending activity, for which it does not show the summary.
 */
export type StepHeartbeat = {
  /** The activity's summary: the id, with the beginning of the prompt if histories may contain it. */
  image?: string;
  id?: string;
  step: number;
  steps: number;
};

/** From Temporal's API, as returned by a workflow's `describe`. */
type PendingActivity = {
  state?: unknown;
  heartbeatDetails?: { payloads?: Payload[] | null } | null;
};

/** `PENDING_ACTIVITY_STATE_SCHEDULED` of Temporal's API. */
const SCHEDULED = 1;

/** Whether a worker is executing it; if not, it is in the task queue or between two attempts. */
export const isInHand = ({ state }: PendingActivity): boolean => state !== SCHEDULED;

/** `PENDING_ACTIVITY_STATE_PAUSED` of Temporal's API. */
const PAUSED = 4;

/** Whether somebody paused it in Temporal's UI and no worker has it any more: it waits until it is unpaused there. */
export const isPausedByHand = ({ state }: PendingActivity): boolean => state === PAUSED;

/**
 * What an attempt reports that it waits for; `null` if it does not wait, or there is no attempt in progress.
 *
 * @param read decodes a payload with the calling client's converter
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
