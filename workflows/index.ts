import { setWorkflowOptions } from '@temporalio/workflow';
import { renderBatch } from './batch/render-batch.ts';
import { scheduledBatch } from './batch/scheduled-batch.ts';
import type { Workflows } from './contract/workflows.ts';
import { makeSheetPage } from './review-page/review-page.ts';
import { renderShard } from './shard/render-shard.ts';
import { deliverWebhook } from './webhook/webhook.ts';

// Clients and workflows start them by the contract's signatures.
const workflows = { deliverWebhook, makeSheetPage, renderBatch, renderShard, scheduledBatch } satisfies Workflows;

// A fault of this code ends its workflow, which says so, where the SDK would run the same task again and again. Code that does not fit a
// history is none of these faults: such a task goes on being tried, and succeeds once the right version is there.
for (const workflow of Object.values<(...args: never[]) => Promise<unknown>>(workflows)) {
  setWorkflowOptions({ failureExceptionTypes: [Error] }, workflow);
}

export { deliverWebhook, makeSheetPage, renderBatch, renderShard, scheduledBatch };
