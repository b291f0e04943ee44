import type { Size } from '../domain/size.ts';
import type { BatchMemo } from '../workflows/contract/batch.ts';
import { largeRenderQueue, ORCHESTRATOR_QUEUE, renderQueue } from '../workflows/contract/queues.ts';
import { batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';

/** How many worker processes the server has heard of lately. A process that serves several sizes counts for each of them. */
export type WorkersSeen = {
  orchestrators: number;
  /** Of those that hold the batch's bundle. */
  renderers: { size: Size; workers: number }[];
  /** Of those that take images for which others had too little memory; of sizes that have such images only. */
  larger?: { size: Size; workers: number }[];
  bundle: { name: string; digest: string };
};

/** A worker asks for work at least once a minute, unless it has its hands full. */
const SEEN_MS = 90_000;

/** TASK_QUEUE_TYPE_WORKFLOW and TASK_QUEUE_TYPE_ACTIVITY of Temporal's API. */
const TYPE = { workflow: 1, activity: 2 };

/** PENDING_ACTIVITY_STATE_STARTED of Temporal's API. */
const STARTED = 2;

/** The workers that could go on with a batch of these sizes: those that ask for its work, and those that are busy with it. */
export async function workersSeen(client: BatchClient, batch: string, sizes: readonly Size[]): Promise<WorkersSeen> {
  const { memo, raw } = await batchHandle(client, batch).describe();
  const { bundle: name, bundleDigest: digest } = memo as BatchMemo;
  const queues = sizes.map((size) => renderQueue(size, digest));
  const [orchestrators, pending, ...asking] = await Promise.all([
    pollers(client, ORCHESTRATOR_QUEUE, TYPE.workflow),
    pendingImages(client, raw.pendingChildren ?? []),
    ...queues.map((queue) => pollers(client, queue, TYPE.activity)),
  ]);
  const renderers = sizes.map((size, index) => {
    const known = pending.filter(({ queue }) => queue === queues[index]).flatMap(({ worker }) => worker ?? []);
    return { size, workers: new Set([...asking[index]!, ...known]).size };
  });
  const larger = await largerSeen(client, sizes, digest, pending);
  return { orchestrators: new Set(orchestrators).size, renderers, larger, bundle: { name, digest } };
}

/** Who takes the images for which others had too little memory, where there are such images. */
async function largerSeen(
  client: BatchClient,
  sizes: readonly Size[],
  digest: string,
  pending: readonly PendingImage[],
): Promise<{ size: Size; workers: number }[]> {
  const queues = sizes.map((size) => ({ size, queue: largeRenderQueue(size, digest) }));
  const wanted = queues.filter(({ queue }) => pending.some((image) => image.queue === queue));
  return Promise.all(
    wanted.map(async ({ size, queue }) => {
      const known = pending.filter((image) => image.queue === queue).flatMap(({ worker }) => worker ?? []);
      return { size, workers: new Set([...(await pollers(client, queue, TYPE.activity)), ...known]).size };
    }),
  );
}

/** Identities of those who asked the queue for work lately. */
async function pollers({ temporal, namespace }: BatchClient, queue: string, taskQueueType: number): Promise<string[]> {
  const { pollers } = await temporal.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType,
  });
  const since = Date.now() - SEEN_MS;
  return (pollers ?? [])
    .filter(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 >= since)
    .map(({ identity }) => identity ?? '');
}

/** An image that is scheduled, and who has it in hand: while a worker's hands are full it asks for nothing. */
type PendingImage = { queue: string; worker: string | null };

async function pendingImages(client: BatchClient, shards: { workflowId?: string | null }[]): Promise<PendingImage[]> {
  const images = await Promise.all(shards.map(({ workflowId }) => pendingIn(client, workflowId ?? '')));
  return images.flat();
}

async function pendingIn({ temporal }: BatchClient, shard: string): Promise<PendingImage[]> {
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
