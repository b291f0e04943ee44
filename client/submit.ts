import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { UserError } from '../domain/user-error.ts';
import { checkAtMost } from '../records/at-most.ts';
import { type AuditDetails, audited } from '../records/audit.ts';
import { catalogName, catalogType, termsName } from '../records/layout.ts';
import { findManifestHead } from '../records/manifest.ts';
import { PlannedPictures } from '../records/planned-pictures.ts';
import { type Preview, preview } from '../records/preview.ts';
import { checkNotRemoved } from '../records/removal.ts';
import { roundsOf } from '../records/rounds.ts';
import { createSame, type ObjectStore, openStore, PLAIN_TEXT, shownPlace } from '../store/index.ts';
import type { BatchMemo } from '../workflows/contract/batch.ts';
import { batchStart } from '../workflows/contract/batch-start.ts';
import { ORCHESTRATOR_QUEUE } from '../workflows/contract/queues.ts';
import type { Workflows } from '../workflows/contract/workflows.ts';
import { batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { checkLeftToday } from './limits.ts';
import { plannedOtherwise } from './planned-otherwise.ts';
import { type BatchRequest, batchInput, type CatalogInput, installedBundle, newBatchId } from './request.ts';
import {
  type CatalogFiles,
  type CheckedCatalog,
  type OnRead,
  readRequestedCatalog,
  summaryOf,
} from './requested-catalog.ts';

/**
 * A batch with this id is running, complete, was retried, or was planned with other settings. One that was cancelled or
 * failed may be submitted again unchanged.
 */
export class BatchExists extends UserError {
  readonly batch: string;

  constructor(batch: string, instead = ': watch it, retry its failed rows, or choose another batch id') {
    super(`batch ${batch} already exists${instead}`);
    this.batch = batch;
  }
}

export type SubmittedBatch = {
  batch: string;
  plan: CheckedCatalog;
  /** The figures that the limits were checked with; `null` for a batch without limits. */
  preview: Preview | null;
};

/** A batch that is about to be started. */
export type ProposedBatch = {
  plan: CheckedCatalog;
  /** Checks in the store what it would have to render, and how long earlier batches took. The result is cached. */
  preview(): Promise<Preview>;
};

/**
 * Checks the whole catalog, stores a copy of it in the batch's folder, and starts the batch. With the installed bundle itself
 * instead of its `bundleRef`, the plan also shows how the model reads the prompts.
 *
 * @param approve is called when the catalog has been checked and nothing has been written; if it throws, the batch is not started
 * @throws CatalogError with every problem of the catalog; nothing is written or started then
 * @throws BatchExists
 * @throws LimitReached if it would exceed its own limits, or what is left of the store's limits today
 * @throws UserError for a store or request that cannot be used
 * @example
 * ```js
 * import { bundleRef, chosenBundle, connect, submitBatch } from 'pixart-batch';
 *
 * const client = await connect();
 * const bundle = bundleRef(await chosenBundle('pixart-icons'));
 * const { batch, plan } = await submitBatch(
 *   client,
 *   { batch: 'spring', catalog: 'catalog.csv', store: 'out', bundle, defaults: { format: 'webp' } },
 *   async ({ preview }) => {
 *     const { toRender } = await preview();
 *     if (toRender > 1_000) throw new Error(`${toRender} images are too many for today`);
 *   },
 * );
 * console.log(`${batch}: ${plan.jobs} jobs, ${plan.images} different images`);
 * await client.close();
 * ```
 */
export async function submitBatch(
  client: BatchClient,
  request: BatchRequest & { batch?: string | undefined },
  approve?: (proposed: ProposedBatch) => void | Promise<void>,
  onRead?: OnRead,
): Promise<SubmittedBatch> {
  const input = batchInput(request, request.batch ?? newBatchId(request.catalog, new Date()));
  const catalog = await readRequestedCatalog(input, undefined, onRead);
  const pictures = new PlannedPictures();
  const plan = await summaryOf(catalog, installedBundle(request), (job) => pictures.add(job));
  let asked: Promise<Preview> | undefined;
  const ask = () => (asked ??= openStore(input.store).then((store) => preview(pictures, store, input.bundle.digest)));
  await approve?.({ plan, preview: ask });
  const found = input.atMost === undefined ? null : await ask();
  if (found !== null) checkAtMost(input.atMost!, found);
  const action = { action: 'submit' as const, batch: input.batch, details: submitDetails(input, plan) };
  const store = await openStore(input.store);
  await audited(store, action, async () => {
    await checkLeftToday(store, pictures);
    await keepCatalog(input, catalog.files);
    await checkNotRemoved(store, input.batch);
    await start(client, input);
  });
  return { batch: input.batch, plan, preview: found };
}

function submitDetails({ bundle, source, window, team, webhook }: CatalogInput, plan: CheckedCatalog): AuditDetails {
  const { jobs, images } = plan;
  return {
    ...{ jobs, images, bundle: bundle.name, catalog: shownPlace(source.url), window },
    ...(team && { team: team.name, weight: team.weight }),
    webhook: webhook !== undefined,
  };
}

async function start(client: BatchClient, input: CatalogInput): Promise<void> {
  const store = await openStore(input.store);
  const rounds = await roundsOf(store, input.batch);
  const isOnRecord = rounds.last > 1 || (await findManifestHead(store, input.batch))?.state === 'completed';
  if (isOnRecord || (await runsOrWasRetried(client, input.batch))) throw new BatchExists(input.batch);
  const otherwise = await plannedOtherwise(store, input, rounds);
  if (otherwise !== null) {
    throw new BatchExists(input.batch, `, ${otherwise}: submit it again unchanged, or choose another batch id`);
  }
  try {
    await client.temporal.workflow.start<Workflows['renderBatch']>('renderBatch', {
      ...batchStart(input),
      taskQueue: ORCHESTRATOR_QUEUE,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    });
  } catch (error) {
    throw error instanceof WorkflowExecutionAlreadyStartedError ? new BatchExists(input.batch) : error;
  }
}

/** A retry leaves its own plans in the folder, which another retry can follow but a first round cannot. */
async function runsOrWasRetried(client: BatchClient, batch: string): Promise<boolean> {
  try {
    const { memo, status } = await batchHandle(client, batch).describe();
    return status.name === 'RUNNING' || (memo as BatchMemo).round > 1;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** The orchestrator may be on another machine than the user's files, so the batch plans from its own copies. */
async function keepCatalog({ batch, store: url, source }: CatalogInput, files: CatalogFiles): Promise<void> {
  const store = await openStore(url);
  await keep(store, batch, catalogName(batch, source.format), files.catalog, catalogType(source.format));
  for (const [name, bytes] of files.terms) await keep(store, batch, termsName(batch, name), bytes, PLAIN_TEXT);
}

async function keep(store: ObjectStore, batch: string, name: string, bytes: Uint8Array, type: string): Promise<void> {
  if (await createSame(store, name, bytes, type)) return;
  throw new UserError(
    `batch ${batch} exists in ${shownPlace(store.url)} with another catalog: choose another batch id`,
  );
}
