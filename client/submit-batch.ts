import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { type PlanSummary, SummaryBuilder } from '../catalog/summary.ts';
import type { Job } from '../domain/job.ts';
import { UserError } from '../domain/user-error.ts';
import { catalogName, termsName } from '../records/layout.ts';
import { type ObjectStore, openStore } from '../store/index.ts';
import type { BatchMemo } from '../workflows/contract/batch.ts';
import { batchStart } from '../workflows/contract/batch-start.ts';
import { ORCHESTRATOR_QUEUE } from '../workflows/contract/queues.ts';
import type { Workflows } from '../workflows/contract/workflows.ts';
import { batchHandle } from './batch-handle.ts';
import { type BatchRequest, batchInput, type CatalogInput, newBatchId } from './batch-request.ts';
import type { BatchClient } from './connect.ts';
import { keepOnce } from './keep-once.ts';
import { type ReadFiles, requestedJobs } from './requested-jobs.ts';

/** A batch of that id runs, is complete or was retried. Another that was cancelled or has failed may be submitted again. */
export class BatchExists extends UserError {
  readonly batch: string;

  constructor(batch: string) {
    super(`batch ${batch} exists already: watch it, retry its failed rows, or choose another batch id`);
    this.batch = batch;
  }
}

export type SubmittedBatch = { batch: string; plan: PlanSummary };

/** Looks at what is going to be rendered, before anything is written. */
export type Inspection = {
  onJob?: ((job: Job) => void) | undefined;
  /** Called when every job has been seen; what it throws keeps the batch from being started. */
  approve?: ((plan: PlanSummary) => Promise<void>) | undefined;
};

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
  inspection: Inspection = {},
): Promise<SubmittedBatch> {
  const input = batchInput(request, request.batch ?? newBatchId(request.catalog, new Date()));
  const { plan, files } = await inspect(input, inspection);
  await keepCatalog(input, files);
  if (await wasRetried(client, input.batch)) throw new BatchExists(input.batch);
  try {
    await client.temporal.workflow.start<Workflows['renderBatch']>('renderBatch', {
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

async function inspect(input: CatalogInput, { onJob, approve }: Inspection) {
  const files: ReadFiles = { catalog: new Uint8Array(), terms: new Map() };
  const summary = new SummaryBuilder();
  for await (const job of requestedJobs(input, files)) {
    summary.add(job);
    onJob?.(job);
  }
  const plan = summary.summary();
  await approve?.(plan);
  return { plan, files };
}

/** The orchestrator may run where the person's files are not, so the batch plans from its own copies. */
async function keepCatalog({ batch, store: url, source }: CatalogInput, files: ReadFiles): Promise<void> {
  const store = await openStore(url);
  await keep(store, batch, catalogName(batch, source.format), files.catalog);
  for (const [name, bytes] of files.terms) await keep(store, batch, termsName(batch, name), bytes);
}

async function keep(store: ObjectStore, batch: string, name: string, bytes: Uint8Array): Promise<void> {
  if (await keepOnce(store, name, bytes)) return;
  throw new UserError(`batch ${batch} exists in ${store.url} with another catalog: choose another batch id`);
}
