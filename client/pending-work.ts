import type { batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';

/** What Temporal says of a batch's workflow. */
export type Description = Awaited<ReturnType<ReturnType<typeof batchHandle>['describe']>>;

/** An activity that is scheduled: in its queue, in a worker's hands, or between two attempts. */
export type Pending = NonNullable<Description['raw']['pendingActivities']>[number];

/** Those of a batch and of its shards that run. The server goes through all images that are scheduled for it. */
export async function pendingWork(client: BatchClient, raw: Description['raw']): Promise<Pending[]> {
  const shards = (raw.pendingChildren ?? []).filter(({ workflowTypeName }) => workflowTypeName === 'renderShard');
  const ofShards = await Promise.all(shards.map(({ workflowId }) => pendingOf(client, workflowId!)));
  return [...(raw.pendingActivities ?? []), ...ofShards.flat()];
}

/** None of a shard that has ended meanwhile. */
const pendingOf = ({ temporal }: BatchClient, workflowId: string): Promise<Pending[]> =>
  temporal.workflow
    .getHandle(workflowId)
    .describe()
    .then(
      ({ raw }) => raw.pendingActivities ?? [],
      () => [],
    );
