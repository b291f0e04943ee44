import { renderBatch } from './batch/render-batch.ts';
import { scheduledBatch } from './batch/scheduled-batch.ts';
import type { Workflows } from './contract/workflows.ts';
import { makeSheetPage } from './review-page/review-page.ts';
import { renderShard } from './shard/render-shard.ts';
import { deliverWebhook } from './webhook/webhook.ts';

// Clients and workflows start them by the contract's signatures.
({ deliverWebhook, makeSheetPage, renderBatch, renderShard, scheduledBatch }) satisfies Workflows;

export { deliverWebhook, makeSheetPage, renderBatch, renderShard, scheduledBatch };
