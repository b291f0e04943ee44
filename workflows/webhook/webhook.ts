import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { channelOf } from '../../domain/receiver.ts';
import type { BatchInput } from '../contract/batch.ts';
import { batchWorkflowId } from '../contract/queues.ts';
import type { BatchEventType, EventNews, WebhookDelivery } from '../contract/webhook.ts';
import { messenger } from '../orchestrator.ts';

/** Tells one event until the receiver takes it, for some days. It fails where that stays in vain, for a person to see. */
export function deliverWebhook(delivery: WebhookDelivery): Promise<void> {
  const channel = channelOf(delivery.url);
  const { postWebhook, sendMessage } = messenger(channel);
  return channel === 'webhook' ? postWebhook(delivery) : sendMessage(delivery);
}

/**
 * Has an event delivered, where the batch has a webhook, by a workflow of its own: the batch does not wait for a receiver that is
 * away, and does not fail with it.
 *
 * @param occurrence tells events of one type and round apart
 */
export async function announce(
  { webhook, batch, round, store, schedule }: BatchInput,
  type: BatchEventType,
  news: EventNews,
  occurrence = 0,
): Promise<void> {
  if (webhook === undefined) return;
  // A batch that failed may be submitted again under its id, and what it says then is news.
  const run = workflowInfo().firstExecutionRunId.slice(0, 8);
  const id = `${batchWorkflowId(batch)}/${type}/${round}-${occurrence}-${run}`;
  const event = {
    type,
    timestamp: new Date().toISOString(),
    data: { batch, round, store, ...(schedule !== undefined && { schedule }), ...news },
  };
  const args: [WebhookDelivery] = [{ url: webhook, id, event }];
  const start = () =>
    startChild<typeof deliverWebhook>('deliverWebhook', {
      workflowId: id,
      args,
      staticSummary: `Tells by ${channelOf(webhook)}: ${type}`,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  try {
    await CancellationScope.nonCancellable(start);
  } catch (error) {
    // A batch that a person reset to an earlier event has told this before.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
