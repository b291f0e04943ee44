import { rawValue } from '../encryption/raw-payloads.ts';
import { isInHand, type StepHeartbeat, type WaitingHeartbeat } from '../workflows/contract/heartbeats.ts';
import { aboutBatch, batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { type Pending, pendingWork } from './pending-work.ts';

/** An image that a worker is rendering. */
export type PictureInHand = {
  /** `null` if the worker is of an earlier version. */
  id: string | null;
  /** Denoising steps done, of `steps`. */
  step: number;
  steps: number;
};

/**
 * The images of a batch that workers are rendering, and their progress. Images begun within the last second may be missing.
 * Needs no orchestrator.
 *
 * @throws UserError if Temporal does not know the batch
 */
export async function picturesInHand(client: BatchClient, batch: string): Promise<PictureInHand[]> {
  const { raw } = await aboutBatch(client, batch, () => batchHandle(client, batch).describe());
  return inHandOf(client, (await pendingWork(client, raw)).activities);
}

/** The same, from pending activities. */
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

/** The server keeps the heartbeat of an attempt that died until the next one sends its own. */
const isOfThisAttempt = ({ lastHeartbeatTime, lastStartedTime }: Pending): boolean =>
  millisecondsOf(lastHeartbeatTime) > millisecondsOf(lastStartedTime);

const millisecondsOf = (time: Pending['lastStartedTime']): number =>
  1_000 * Number(time?.seconds ?? 0) + Number(time?.nanos ?? 0) / 1_000_000;
