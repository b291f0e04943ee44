import { aboutBatch, batchHandle } from './batch-handle.ts';
import type { BatchClient } from './connect.ts';

/** Activities whose last attempt failed, and which are tried again: images (`renderImage`) or a step of the batch's own. */
export type Retrying = {
  activity: string;
  count: number;
  /** The most that one of them has had. */
  attempts: number;
  /** Of one of them, where several failed in the same way. */
  reason: string;
};

/**
 * What a batch that runs is held up by, as the pending activities of its workflows tell; no orchestrator is asked.
 *
 * @throws UserError where Temporal does not know the batch
 */
export async function retrying(client: BatchClient, batch: string): Promise<Retrying[]> {
  const { raw } = await aboutBatch(client, batch, () => batchHandle(client, batch).describe());
  const shards = (raw.pendingChildren ?? []).filter(({ workflowTypeName }) => workflowTypeName === 'renderShard');
  const ofShards = await Promise.all(shards.map(({ workflowId }) => pendingOf(client, workflowId!)));
  const found = new Map<string, Retrying>();
  for (const { activityType, attempt, lastFailure } of [...(raw.pendingActivities ?? []), ...ofShards.flat()]) {
    const reason = lastFailure?.message;
    if (!reason) continue;
    const activity = activityType?.name ?? '';
    const key = `${activity} ${lastFailure.applicationFailureInfo?.type ?? reason}`;
    const { count, attempts } = found.get(key) ?? { count: 0, attempts: 0 };
    found.set(key, { activity, count: count + 1, attempts: Math.max(attempts, (attempt ?? 1) - 1), reason });
  }
  return [...found.values()].toSorted((a, b) => b.count - a.count);
}

/** None of a shard that has ended meanwhile. */
const pendingOf = ({ temporal }: BatchClient, workflowId: string) =>
  temporal.workflow
    .getHandle(workflowId)
    .describe()
    .then(
      ({ raw }) => raw.pendingActivities ?? [],
      () => [],
    );
