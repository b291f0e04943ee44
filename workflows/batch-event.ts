import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ChildWorkflowCancellationType, ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { ChangeCounts } from '../catalog/changes-text.ts';
import type { Totals } from '../catalog/receipt.ts';
import { type BatchInput, batchWorkflowId, type WebhookDelivery } from './contract.ts';
import type { deliverWebhook } from './deliver-webhook.ts';

/** What a batch tells its webhook: that it ended, one way or another, or that it paused itself. */
export type BatchEventType = 'batch.completed' | 'batch.cancelled' | 'batch.failed' | 'batch.paused';

/** What is posted, as JSON. */
export type BatchEvent = {
  type: BatchEventType;
  /** ISO 8601: when it happened. */
  timestamp: string;
  data: {
    batch: string;
    round: number;
    store: string;
    totals?: Totals;
    changes?: ChangeCounts;
    /** Object names in the store. */
    manifest?: string;
    contactSheet?: string | null;
    /** Why it paused or failed. */
    reason?: string;
  };
};

export type EventNews = Omit<BatchEvent['data'], 'batch' | 'round' | 'store'>;

/**
 * Has an event delivered, where the batch has a webhook, by a workflow of its own: the batch does not wait for a receiver that is
 * away, and does not fail with it.
 *
 * @param occurrence tells events of one type and round apart
 */
export async function announce(
  { webhook, batch, round, store }: BatchInput,
  type: BatchEventType,
  news: EventNews,
  occurrence = 0,
): Promise<void> {
  if (webhook === undefined) return;
  const id = `${batchWorkflowId(batch)}/${type}/${round}-${occurrence}`;
  const event = { type, timestamp: new Date().toISOString(), data: { batch, round, store, ...news } };
  const args: [WebhookDelivery] = [{ url: webhook, id, event }];
  try {
    await startChild<typeof deliverWebhook>('deliverWebhook', {
      workflowId: id,
      args,
      staticSummary: `Tells the webhook: ${type}`,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  } catch (error) {
    // A batch that was terminated and submitted again may still be telling the same.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
