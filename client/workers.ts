import type { Size } from '../domain/size.ts';
import type { BatchMemo } from '../workflows/contract/batch.ts';
import { QUEUE_TYPE, seenLately } from '../workflows/contract/pollers.ts';
import { encodeQueue, ORCHESTRATOR_QUEUE, renderQueue } from '../workflows/contract/queues.ts';
import { batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';

/** How many worker processes the server has heard of lately. A process that serves several sizes counts for each of them. */
export type WorkersSeen = {
  orchestrators: number;
  /** Of those that hold the batch's text encoder; missing where an earlier version's batch does not say which one that is. */
  encoders?: number;
  /** Of those that hold the batch's bundle. */
  renderers: { size: Size; workers: number }[];
  bundle: { name: string; digest: string };
};

/** PENDING_ACTIVITY_STATE_STARTED of Temporal's API. */
const STARTED = 2;

/** The workers that could go on with a batch of these sizes: those that ask for its work, and those that are busy with it. */
export async function workersSeen(client: BatchClient, batch: string, sizes: readonly Size[]): Promise<WorkersSeen> {
  const { memo, raw } = await batchHandle(client, batch).describe();
  const { bundle: name, bundleDigest: digest, encoder } = memo as BatchMemo;
  const queues = sizes.map((size) => renderQueue(size, digest));
  const [orchestrators, busy, encoders, ...asking] = await Promise.all([
    pollers(client, ORCHESTRATOR_QUEUE, QUEUE_TYPE.workflow),
    busyWorkers(client, raw.pendingChildren ?? []),
    encoder === undefined ? [] : pollers(client, encodeQueue(encoder), QUEUE_TYPE.activity),
    ...queues.map((queue) => pollers(client, queue, QUEUE_TYPE.activity)),
  ]);
  const counted = (queue: string, asking: string[]): number => {
    const known = busy.filter((worker) => worker.queue === queue).map(({ identity }) => identity);
    return new Set([...asking, ...known]).size;
  };
  return {
    orchestrators: new Set(orchestrators).size,
    ...(encoder !== undefined && { encoders: counted(encodeQueue(encoder), encoders) }),
    renderers: sizes.map((size, index) => ({ size, workers: counted(queues[index]!, asking[index]!) })),
    bundle: { name, digest },
  };
}

/** Identities of those who asked the queue for work lately. */
async function pollers({ temporal, namespace }: BatchClient, queue: string, taskQueueType: number): Promise<string[]> {
  const { pollers } = await temporal.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType,
  });
  return seenLately(pollers ?? [], Date.now());
}

type BusyWorker = { identity: string; queue: string };

/** Who has one of these shards' images in hand: while its hands are full it asks for nothing. */
async function busyWorkers(client: BatchClient, shards: { workflowId?: string | null }[]): Promise<BusyWorker[]> {
  const workers = await Promise.all(shards.map(({ workflowId }) => busyWith(client, workflowId ?? '')));
  return workers.flat();
}

async function busyWith({ temporal }: BatchClient, shard: string): Promise<BusyWorker[]> {
  // A shard that has ended meanwhile keeps nobody busy.
  const described = await temporal.workflow
    .getHandle(shard)
    .describe()
    .catch(() => null);
  return (described?.raw.pendingActivities ?? [])
    .filter(({ state }) => state === STARTED)
    .map(({ lastWorkerIdentity, activityOptions }) => ({
      identity: lastWorkerIdentity ?? '',
      queue: activityOptions?.taskQueue?.name ?? '',
    }));
}
