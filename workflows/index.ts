import { setWorkflowOptions } from '@temporalio/workflow';
import { renderBatch } from './batch/render-batch.ts';
import { scheduledBatch } from './batch/scheduled-batch.ts';
import type { Workflows } from './contract/workflows.ts';
import { makeSheetPage } from './review-page/review-page.ts';
import { renderShard } from './shard/render-shard.ts';
import { deliverWebhook } from './webhook/webhook.ts';

// Clients and workflows start these by the contract's signatures.
const workflows = { deliverWebhook, makeSheetPage, renderBatch, renderShard, scheduledBatch } satisfies Workflows;

// A bug in this code fails its workflow, with the reason; by default, the SDK would retry the workflow task forever.
// This does not apply to nondeterminism errors: such a task is still retried, and succeeds once the right version is
// deployed.
for (const workflow of Object.values<(...args: never[]) => Promise<unknown>>(workflows)) {
  setWorkflowOptions({ failureExceptionTypes: [Error] }, workflow);
}

export { deliverWebhook, makeSheetPage, renderBatch, renderShard, scheduledBatch };
