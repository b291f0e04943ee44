import type { batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';

/** Temporal's description of a batch's workflow. */
export type Description = Awaited<ReturnType<ReturnType<typeof batchHandle>['describe']>>;

/** An activity that is scheduled: in its queue, in a worker's hands, or between two attempts. */
export type Pending = NonNullable<Description['raw']['pendingActivities']>[number];

/** What a batch waits for. */
export type PendingWork = {
  /** Its own and its running shards'. */
  activities: Pending[];
  /**
   * When shards ended whose end Temporal did not report to the batch, and never will: it was terminated, and then reset
   * in Temporal (findings/temporal-reset-loses-children.sh).
   */
  lostShards: Date[];
};

/** Normally, a batch learns of a shard's end within milliseconds. */
const LOST_AFTER_MS = 30_000;

/** What a batch waits for, from the description of its workflow. This makes the server go through all scheduled images. */
export async function pendingWork({ temporal }: BatchClient, raw: Description['raw']): Promise<PendingWork> {
  const shards = (raw.pendingChildren ?? []).filter(({ workflowTypeName }) => workflowTypeName === 'renderShard');
  const described = shards.map(({ workflowId }) =>
    temporal.workflow
      .getHandle(workflowId!)
      .describe()
      .catch(() => null),
  );
  const runs = await Promise.all(described);
  // One that has not started yet may have the id of an earlier one, which has ended.
  const ends = runs.flatMap((run, i) => (shards[i]?.runId ? (run?.closeTime ?? []) : []));
  return {
    activities: [raw, ...runs.map((run) => run?.raw)].flatMap((of) => of?.pendingActivities ?? []),
    lostShards: ends.filter((end) => Date.now() - end.getTime() > LOST_AFTER_MS),
  };
}
