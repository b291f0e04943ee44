import type { batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';

/** Temporal's description of a batch's workflow. */
export type Description = Awaited<ReturnType<ReturnType<typeof batchHandle>['describe']>>;

/** An activity that is scheduled: in its queue, in a worker's hands, or between two attempts. */
export type Pending = NonNullable<Description['raw']['pendingActivities']>[number];

/** The pending activities of a batch and its running shards. This makes the server go through all scheduled images. */
export async function pendingWork(client: BatchClient, raw: Description['raw']): Promise<Pending[]> {
  const shards = (raw.pendingChildren ?? []).filter(({ workflowTypeName }) => workflowTypeName === 'renderShard');
  const ofShards = await Promise.all(shards.map(({ workflowId }) => pendingOf(client, workflowId!)));
  return [...(raw.pendingActivities ?? []), ...ofShards.flat()];
}

/** A shard that has ended in the meantime has none. */
const pendingOf = ({ temporal }: BatchClient, workflowId: string): Promise<Pending[]> =>
  temporal.workflow
    .getHandle(workflowId)
    .describe()
    .then(
      ({ raw }) => raw.pendingActivities ?? [],
      () => [],
    );
