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

/** Retries one event for some days until the receiver accepts it. If that never happens it fails, for a person to see. */
export function deliverWebhook(delivery: WebhookDelivery): Promise<void> {
  const channel = channelOf(delivery.url);
  const { postWebhook, sendMessage } = messenger(channel);
  return channel === 'webhook' ? postWebhook(delivery) : sendMessage(delivery);
}

/**
 * Delivers an event in a separate workflow, if the batch has a webhook: the batch neither waits for a receiver that is
 * down nor fails with it.
 *
 * @param occurrence distinguishes events of one type and round
 */
export async function announce(
  { webhook, batch, round, store, schedule }: BatchInput,
  type: BatchEventType,
  news: EventNews,
  occurrence = 0,
): Promise<void> {
  if (webhook === undefined) return;
  // A failed batch may be submitted again under its id, and its events are then new.
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
      staticSummary: `Sends ${type} by ${channelOf(webhook)}`,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  try {
    await CancellationScope.nonCancellable(start);
  } catch (error) {
    // A batch that a person reset to an earlier event has sent this before.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
