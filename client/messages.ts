import { QUEUE_TYPE } from '../workflows/contract/pollers.ts';
import { batchWorkflowId, messageQueue } from '../workflows/contract/queues.ts';
import type { Workflows } from '../workflows/contract/workflows.ts';
import type { BatchClient } from './connect.ts';
import { type Retrying, retryingOf } from './retrying.ts';
import { pollers } from './workers.ts';

/**
 * Whether a worker has asked lately for messages of a channel, as one does that has the secret for it.
 *
 * @param channel as `channelOf` or a batch's progress tells it
 */
export const canTell = async (client: BatchClient, channel: string): Promise<boolean> =>
  (await pollers(client, messageQueue(channel), QUEUE_TYPE.activity)).length > 0;

/** What a batch has to tell and has not told yet. */
export type WaitingMessage = {
  /** Such as `batch.completed`. */
  event: string;
  /** Why the last attempt failed; `null` where it waits for a worker that can send it. */
  trouble: Retrying | null;
};

/** A batch's messages that are not told yet, as the server's listing knows them, which is behind by a second or so. */
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
