import { rawValue } from '../encryption/raw-payloads.ts';
import { isInHand, type StepHeartbeat, type WaitingHeartbeat } from '../workflows/contract/heartbeats.ts';
import { aboutBatch, batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { type Pending, pendingWork } from './pending-work.ts';

/** A picture that a worker paints. */
export type PictureInHand = {
  /** `null` where a worker of an earlier version paints it. */
  id: string | null;
  /** Denoising steps that are done, of so many. */
  step: number;
  steps: number;
};

/**
 * The pictures of a batch that workers paint, and how far each is; one that has been begun less than a second ago may be missing. No
 * orchestrator is asked.
 *
 * @throws UserError where Temporal does not know the batch
 */
export async function picturesInHand(client: BatchClient, batch: string): Promise<PictureInHand[]> {
  const { raw } = await aboutBatch(client, batch, () => batchHandle(client, batch).describe());
  return inHandOf(client, await pendingWork(client, raw));
}

/** The same of activities that are pending. */
export async function inHandOf(client: BatchClient, all: readonly Pending[]): Promise<PictureInHand[]> {
  const found = await Promise.all(all.map((pending) => pictureOf(client, pending)));
  return found.filter((picture) => picture !== null);
}

async function pictureOf({ temporal }: BatchClient, pending: Pending): Promise<PictureInHand | null> {
  const [payload] = pending.heartbeatDetails?.payloads ?? [];
  if (pending.activityType?.name !== 'renderImage' || !isInHand(pending) || !isOfThisAttempt(pending) || !payload) {
    return null;
  }
  const told = await rawValue<Partial<StepHeartbeat & WaitingHeartbeat>>(temporal, payload);
  if (!told?.steps || told.step === undefined || told.waitsFor) return null;
  return { id: told.id ?? null, step: told.step, steps: told.steps };
}

/** What an attempt has left behind that died is kept until the next one tells more. */
const isOfThisAttempt = ({ lastHeartbeatTime, lastStartedTime }: Pending): boolean =>
  millisecondsOf(lastHeartbeatTime) > millisecondsOf(lastStartedTime);

const millisecondsOf = (time: Pending['lastStartedTime']): number =>
  1_000 * Number(time?.seconds ?? 0) + Number(time?.nanos ?? 0) / 1_000_000;
