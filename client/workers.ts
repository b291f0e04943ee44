import type { Size } from '../domain/size.ts';
import type { BatchMemo } from '../workflows/contract/batch.ts';
import { QUEUE_TYPE, seenLately } from '../workflows/contract/pollers.ts';
import { encodeQueue, largeRenderQueue, renderQueue } from '../workflows/contract/queues.ts';
import { batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { orchestratorsSeen, servingBatch } from './orchestrators.ts';

/** How many worker processes the server has heard of lately. A process that serves several sizes counts for each of them. */
export type WorkersSeen = {
  /** Of those that get this batch's work, where versions of workflows are kept apart. */
  orchestrators: number;
  /** Of those that hold the batch's text encoder; missing where an earlier version's batch does not say which one that is. */
  encoders?: number;
  /** Of those that hold the batch's bundle. */
  renderers: { size: Size; workers: number }[];
  /** Of those that take images for which others had too little memory; of sizes that have such images only. */
  larger?: { size: Size; workers: number }[];
  bundle: { name: string; digest: string };
};

/** PENDING_ACTIVITY_STATE_STARTED of Temporal's API. */
const STARTED = 2;

/** The workers that could go on with a batch of these sizes: those that ask for its work, and those that are busy with it. */
export async function workersSeen(client: BatchClient, batch: string, sizes: readonly Size[]): Promise<WorkersSeen> {
  const { memo, raw } = await batchHandle(client, batch).describe();
  const { bundle: name, bundleDigest: digest, encoder } = memo as BatchMemo;
  const queues = sizes.map((size) => renderQueue(size, digest));
  const [seen, pending, encoders, ...asking] = await Promise.all([
    orchestratorsSeen(client),
    pendingActivities(client, raw.pendingChildren ?? []),
    encoder === undefined ? [] : pollers(client, encodeQueue(encoder), QUEUE_TYPE.activity),
    ...queues.map((queue) => pollers(client, queue, QUEUE_TYPE.activity)),
  ]);
  const counted = (queue: string, polling: string[]): number => {
    const busy = pending.filter((activity) => activity.queue === queue).flatMap(({ worker }) => worker ?? []);
    return new Set([...polling, ...busy]).size;
  };
  const larger = await Promise.all(
    sizes
      .map((size) => ({ size, queue: largeRenderQueue(size, digest) }))
      .filter(({ queue }) => pending.some((activity) => activity.queue === queue))
      .map(async ({ size, queue }) => ({
        size,
        workers: counted(queue, await pollers(client, queue, QUEUE_TYPE.activity)),
      })),
  );
  return {
    orchestrators: servingBatch(raw, seen).orchestrators,
    ...(encoder !== undefined && { encoders: counted(encodeQueue(encoder), encoders) }),
    renderers: sizes.map((size, index) => ({ size, workers: counted(queues[index]!, asking[index]!) })),
    larger,
    bundle: { name, digest },
  };
}

/** Identities of those who asked the queue for work lately. */
export async function pollers(
  { temporal, namespace }: BatchClient,
  queue: string,
  taskQueueType: number,
): Promise<string[]> {
  const { pollers } = await temporal.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType,
  });
  return seenLately(pollers ?? [], Date.now());
}

/** An activity that is scheduled, and who has it in hand: while a worker's hands are full it asks for nothing. */
type PendingActivity = { queue: string; worker: string | null };

async function pendingActivities(
  client: BatchClient,
  shards: { workflowId?: string | null }[],
): Promise<PendingActivity[]> {
  const images = await Promise.all(shards.map(({ workflowId }) => pendingIn(client, workflowId ?? '')));
  return images.flat();
}

async function pendingIn({ temporal }: BatchClient, shard: string): Promise<PendingActivity[]> {
  // A shard that has ended meanwhile has none.
  const described = await temporal.workflow
    .getHandle(shard)
    .describe()
    .catch(() => null);
  return (described?.raw.pendingActivities ?? []).map(({ state, lastWorkerIdentity, activityOptions }) => ({
    worker: state === STARTED ? (lastWorkerIdentity ?? '') : null,
    queue: activityOptions?.taskQueue?.name ?? '',
  }));
}
