import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { planCatalog } from '../catalog/plan-catalog.ts';
import type { PlanSummary } from '../catalog/summary.ts';
import { UserError } from '../catalog/user-error.ts';
import { PIPELINE_VERSION } from '../models/pixart/pipeline-version.ts';
import { catalogName, openStore, readUrl } from '../store/index.ts';
import { batchStart } from '../workflows/batch-start.ts';
import { type BatchMemo, ORCHESTRATOR_QUEUE } from '../workflows/contract.ts';
import type { renderBatch } from '../workflows/render-batch.ts';
import { batchHandle } from './batch-handle.ts';
import { type BatchRequest, batchInput, type CatalogInput, newBatchId } from './batch-request.ts';
import type { BatchClient } from './connect.ts';

/** A batch of that id runs, is complete or was retried. Another that was cancelled or has failed may be submitted again. */
export class BatchExists extends UserError {
  readonly batch: string;

  constructor(batch: string) {
    super(`batch ${batch} exists already: watch it, retry its failed rows, or choose another batch id`);
    this.batch = batch;
  }
}

export type SubmittedBatch = { batch: string; plan: PlanSummary };

/**
 * Checks the whole catalog, keeps a copy of it in the batch's folder, and starts the batch.
 *
 * @throws CatalogError with every problem of the catalog; nothing is written or started then
 * @throws BatchExists
 * @throws UserError for a store or request that cannot be used
 */
export async function submitBatch(
  client: BatchClient,
  request: BatchRequest & { batch?: string | undefined },
): Promise<SubmittedBatch> {
  const input = batchInput(request, request.batch ?? newBatchId(request.catalog, new Date()));
  const plan = await keepCatalog(input);
  if (await wasRetried(client, input.batch)) throw new BatchExists(input.batch);
  try {
    await client.temporal.workflow.start<typeof renderBatch>('renderBatch', {
      ...batchStart(input),
      taskQueue: ORCHESTRATOR_QUEUE,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    });
  } catch (error) {
    throw error instanceof WorkflowExecutionAlreadyStartedError ? new BatchExists(input.batch) : error;
  }
  return { batch: input.batch, plan };
}

/** A retry leaves plans of its own in the folder: only another retry goes on after them, a first round would stumble over them. */
async function wasRetried(client: BatchClient, batch: string): Promise<boolean> {
  try {
    const { memo } = await batchHandle(client, batch).describe();
    return (memo as BatchMemo).round > 1;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** The orchestrator may run where the person's file is not, so the batch plans from its own copy. */
async function keepCatalog(input: CatalogInput): Promise<PlanSummary> {
  const { batch, source, defaults, bundle } = input;
  const bytes = await readUrl(source.url);
  const { format, columns, url } = source;
  const options = { file: url, format, columns, defaults, bundle, pipelineVersion: PIPELINE_VERSION };
  const { summary } = await planCatalog([bytes], options);
  const store = await openStore(input.store);
  const name = catalogName(batch, format);
  const { created } = await store.create(name, bytes, 'text/plain; charset=utf-8');
  if (created || Buffer.compare(await store.read(name), bytes) === 0) return summary;
  throw new UserError(`batch ${batch} exists in ${store.url} with another catalog: choose another batch id`);
}
