import type { BatchClient } from '../../client/index.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';

/**
 * How long a batch's first shard had nothing scheduled, in milliseconds: before its first image, while its jobs were
 * read, and after its last one, while its receipts were written.
 */
export async function shardPause({ temporal }: BatchClient, batch: string): Promise<number> {
  const query = `WorkflowId STARTS_WITH ${JSON.stringify(batchWorkflowId(batch))} AND WorkflowType = "renderShard"`;
  for await (const { workflowId } of temporal.workflow.list({ query })) {
    const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory();
    const times = events!.map(({ eventTime }) => 1_000 * Number(eventTime!.seconds) + Number(eventTime!.nanos) / 1e6);
    const images = new Set(
      events!
        .filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'renderImage')
        .map(({ eventId }) => String(eventId)),
    );
    const first = events!.findIndex(({ eventId }) => images.has(String(eventId)));
    const last = events!.findLastIndex(({ activityTaskCompletedEventAttributes: end }) =>
      images.has(String(end?.scheduledEventId)),
    );
    return times[first]! - times[0]! + times.at(-1)! - times[last]!;
  }
  throw new Error(`expected a shard of batch ${batch} in the server's list, found none`);
}
