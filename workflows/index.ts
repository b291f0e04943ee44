export { deliverWebhook } from './deliver-webhook.ts';
export { renderBatch } from './render-batch.ts';
export { renderShard } from './render-shard.ts';
export { scheduledBatch } from './scheduled-batch.ts';
export { makeSheetPage } from './sheet-page.ts';
