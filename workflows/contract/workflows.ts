import type { WriteSheetPageInput } from './activities.ts';
import type { BatchInput, BatchResult, ScheduledBatchInput, Team } from './batch.ts';
import type { ShardControl } from './control.ts';
import type { ShardRef } from './plan.ts';
import type { ShardReport } from './progress.ts';
import type { WebhookDelivery } from './webhook.ts';

export type ShardInput = {
  store: string;
  batch: string;
  round: number;
  bundleDigest: string;
  /** Digest of the bundle's text encoder; missing from batches of earlier versions. */
  encoder?: string | undefined;
  shard: ShardRef;
  /** Images in flight at once in this shard. */
  window: number;
  team?: Team | undefined;
  /** Changes from before the shard started. */
  control?: ShardControl | undefined;
};

/** The workflows, by name. */
export type Workflows = {
  renderBatch(input: BatchInput): Promise<BatchResult>;
  /** Starts a scheduled batch. */
  scheduledBatch(input: ScheduledBatchInput): Promise<BatchResult>;
  renderShard(input: ShardInput): Promise<ShardReport>;
  deliverWebhook(delivery: WebhookDelivery): Promise<void>;
  /** @returns the page's object name */
  makeSheetPage(input: WriteSheetPageInput): Promise<string>;
};
