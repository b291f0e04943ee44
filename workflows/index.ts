export { renderBatch } from './batch/render-batch.ts';
export { scheduledBatch } from './batch/scheduled-batch.ts';
export { makeSheetPage } from './review-page/review-page.ts';
export { renderShard } from './shard/render-shard.ts';
export { deliverWebhook } from './webhook/deliver-webhook.ts';
