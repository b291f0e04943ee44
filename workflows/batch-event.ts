import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
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
  // A batch that failed may be submitted again under its id, and what it says then is news.
  const run = workflowInfo().firstExecutionRunId.slice(0, 8);
  const id = `${batchWorkflowId(batch)}/${type}/${round}-${occurrence}-${run}`;
  const event = { type, timestamp: new Date().toISOString(), data: { batch, round, store, ...news } };
  const args: [WebhookDelivery] = [{ url: webhook, id, event }];
  const start = () =>
    startChild<typeof deliverWebhook>('deliverWebhook', {
      workflowId: id,
      args,
      staticSummary: `Tells the webhook: ${type}`,
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
