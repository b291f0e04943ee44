import { QUEUE_TYPE } from '../workflows/contract/pollers.ts';
import { batchWorkflowId, messageQueue } from '../workflows/contract/queues.ts';
import type { Workflows } from '../workflows/contract/workflows.ts';
import type { BatchClient } from './connect.ts';
import { type Retrying, retryingOf } from './retrying.ts';
import { pollers } from './workers.ts';

/**
 * Whether a worker has recently polled for messages of a channel, as workers with its secret do.
 *
 * @param channel from `channelOf` or a batch's progress
 */
export const canTell = async (client: BatchClient, channel: string): Promise<boolean> =>
  (await pollers(client, messageQueue(channel), QUEUE_TYPE.activity)).length > 0;

/** A message of a batch that has not been delivered yet. */
export type WaitingMessage = {
  /** Such as `batch.completed`. */
  event: string;
  /** Why the last attempt failed; `null` if it waits for a worker that can send it. */
  trouble: Retrying | null;
};

/** The messages of a batch that are not delivered yet, from the server's listing, which lags by about a second. */
export async function waitingMessages(client: BatchClient, batch: string): Promise<WaitingMessage[]> {
  const prefix = `${batchWorkflowId(batch)}/`;
  const type = 'deliverWebhook' satisfies keyof Workflows;
  const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH '${prefix}'`;
  const found: WaitingMessage[] = [];
  for await (const { workflowId, runId } of client.temporal.workflow.list({ query })) {
    const { raw } = await client.temporal.workflow.getHandle(workflowId, runId).describe();
    const [trouble = null] = await retryingOf(client, raw.pendingActivities ?? []);
    found.push({ event: workflowId.slice(prefix.length).split('/', 1)[0]!, trouble });
  }
  return found;
}
