import type { Size } from '../domain/size.ts';
import type { BatchMemo } from '../workflows/contract/batch.ts';
import { QUEUE_TYPE, seenLately } from '../workflows/contract/pollers.ts';
import { encodeQueue, largeRenderQueue, renderQueue } from '../workflows/contract/queues.ts';
import { batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { orchestratorsSeen, servingBatch } from './orchestrators.ts';

/** How many worker processes the server has seen recently. A process that serves several sizes counts for each of them. */
export type WorkersSeen = {
  /** Orchestrators that get this batch's work, taking workflow versions into account. */
  orchestrators: number;
  /** Workers with the batch's text encoder; absent if a batch of an earlier version does not say which encoder it needs. */
  encoders?: number;
  /** Workers with the batch's bundle. */
  renderers: { size: Size; workers: number }[];
  /** Workers that accept images for which others had too little memory; only for sizes with such images. */
  larger?: { size: Size; workers: number }[];
  bundle: { name: string; digest: string };
  /** URL of the batch's store, which workers must be allowed to open. */
  store: string;
};

/** PENDING_ACTIVITY_STATE_STARTED in Temporal's API. */
const STARTED = 2;

/** The workers that can work on a batch of these sizes: those that poll for its work, and those that are busy with it. */
export async function workersSeen(client: BatchClient, batch: string, sizes: readonly Size[]): Promise<WorkersSeen> {
  const { memo, raw } = await batchHandle(client, batch).describe();
  const { bundle: name, bundleDigest: digest, encoder, store } = memo as BatchMemo;
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
    store,
  };
}

/** Identities of the workers that have recently polled a task queue. */
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

/** A scheduled activity, and the worker that has it: a worker that is busy does not poll. */
type PendingActivity = { queue: string; worker: string | null };

async function pendingActivities(
  client: BatchClient,
  shards: { workflowId?: string | null }[],
): Promise<PendingActivity[]> {
  const images = await Promise.all(shards.map(({ workflowId }) => pendingIn(client, workflowId ?? '')));
  return images.flat();
}

async function pendingIn({ temporal }: BatchClient, shard: string): Promise<PendingActivity[]> {
  // A shard that has ended in the meantime has none.
  const described = await temporal.workflow
    .getHandle(shard)
    .describe()
    .catch(() => null);
  return (described?.raw.pendingActivities ?? []).map(({ state, lastWorkerIdentity, activityOptions }) => ({
    worker: state === STARTED ? (lastWorkerIdentity ?? '') : null,
    queue: activityOptions?.taskQueue?.name ?? '',
  }));
}
