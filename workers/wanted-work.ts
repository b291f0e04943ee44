import { type Client, isGrpcServiceError } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { GRPC } from '../connection/grpc.ts';
import { rawValue } from '../encryption/raw-payloads.ts';
import type { BatchMemo } from '../workflows/contract/batch.ts';
import { isInHand, isPausedByHand } from '../workflows/contract/heartbeats.ts';
import { ORCHESTRATOR_QUEUE } from '../workflows/contract/queues.ts';
import { runningWorkflows } from './running-workflows.ts';

/** By task queue, the images or texts that workers have in hand or could take now; a queue that is missing has none. */
export type WantedWork = ReadonlyMap<string, number>;

type Execution = { workflowId?: string | null; runId?: string | null };

/** Described at the same time. */
const SHARDS_AT_ONCE = 50;

/**
 * Counts the work of all batches in the namespace. It reads what running shards wait for, which the server keeps with each of them;
 * the backlog of a task queue is an estimate that lacks tasks in hand and includes cancelled ones (docs/decisions/132).
 *
 * @throws ServiceError where the server does not answer, or not all of it
 */
export async function wantedWork(client: Client): Promise<WantedWork> {
  const wanted = new Map<string, number>();
  const isPaused = pausedBatches(client);
  const { workflowService, options } = client;
  for await (const shards of runningWorkflows(workflowService, options.namespace, 'renderShard', SHARDS_AT_ONCE)) {
    const queuesOf = shards.map(({ execution }) => wantedBy(client, execution ?? {}, isPaused));
    for (const queues of await Promise.all(queuesOf)) {
      for (const queue of queues) wanted.set(queue, (wanted.get(queue) ?? 0) + 1);
    }
  }
  return wanted;
}

/** The queues of a shard's images and texts, one for each. */
async function wantedBy(client: Client, shard: Execution, isPaused: IsPaused): Promise<string[]> {
  const described = await describe(client, shard);
  const pending = (described?.pendingActivities ?? [])
    .map((activity) => ({ ...activity, queue: activity.activityOptions?.taskQueue?.name ?? '' }))
    .filter(({ queue }) => queue !== ORCHESTRATOR_QUEUE);
  const inHand = pending.filter((activity) => isInHand(activity) && !isPausedByHand(activity));
  const waiting = pending.filter((activity) => !isInHand(activity));
  const { workflowId } = described?.workflowExecutionInfo?.parentExecution ?? {};
  // A paused batch takes its images back, and leaves the text that it asked for last in the queue.
  const isOut = waiting.length > 0 && !(await isPaused(workflowId ?? ''));
  return [...inHand, ...(isOut ? waiting : [])].map(({ queue }) => queue);
}

type IsPaused = (workflowId: string) => Promise<boolean>;

/** Asks the server once for each batch. */
function pausedBatches(client: Client): IsPaused {
  const asked = new Map<string, Promise<boolean>>();
  return (workflowId) => {
    const answer = asked.get(workflowId) ?? isBatchPaused(client, workflowId);
    asked.set(workflowId, answer);
    return answer;
  };
}

async function isBatchPaused(client: Client, workflowId: string): Promise<boolean> {
  const described = await describe(client, { workflowId });
  const state = described?.workflowExecutionInfo?.memo?.fields?.['state' satisfies keyof BatchMemo];
  return state !== undefined && (await stateOf(client, state)) === 'paused';
}

/** A batch that cannot be read for lack of a key must not keep the others from being counted. */
const stateOf = (client: Client, payload: Payload): Promise<unknown> => rawValue(client, payload).catch(() => null);

/** `null` if the workflow no longer exists. */
async function describe({ workflowService, options: { namespace } }: Client, execution: Execution) {
  try {
    return await workflowService.describeWorkflowExecution({ namespace, execution });
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === GRPC.NOT_FOUND) return null;
    throw error;
  }
}
