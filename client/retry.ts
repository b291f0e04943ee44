import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { BundleRef } from '../domain/bundle-ref.ts';
import { UserError } from '../domain/user-error.ts';
import { audited } from '../records/audit.ts';
import { type BatchRow, hasWholeTable, plannedRows } from '../records/batch-rows.ts';
import { checkNotRemoved } from '../records/removal.ts';
import { keepRound } from '../records/rounds.ts';
import type { ObjectStore } from '../store/index.ts';
import type { BatchInput, FailureBudget, Team } from '../workflows/contract/batch.ts';
import { batchStart } from '../workflows/contract/batch-start.ts';
import { ORCHESTRATOR_QUEUE } from '../workflows/contract/queues.ts';
import { roundSettings } from '../workflows/contract/round.ts';
import type { Workflows } from '../workflows/contract/workflows.ts';
import { stillRuns } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { type LastRound, lastRound } from './last-round.ts';
import { plannedReading } from './plan-premises.ts';
import { type BatchRequest, checkRun } from './request.ts';
import { keepRevisions, type Revised, type RevisionRequest } from './retry-revisions.ts';

/** A request for a retry; settings that are left out are those of the previous round. */
export type RetryRequest = RevisionRequest &
  Pick<BatchRequest, 'window' | 'team' | 'maxFailures' | 'webhook'> & {
    /** Store of the batch, if the server has forgotten it or the store has moved: a folder, a `file:` or a `gs://` URL. */
    store?: string | undefined;
    /** Bundle of a batch that an earlier version started and the server has forgotten, if it is not installed. */
    bundle?: BundleRef | undefined;
  };

/** The round that was started, how many images the batch lacks, and how many of its rows change. */
export type Retried = Revised &
  Pick<LastRound, 'from' | 'isWebhookLost'> & {
    round: number;
    missing: number;
    /** The settings of the round. */
    settings: { store: string; bundle: string; window: number; team?: Team; maxFailures?: FailureBudget };
  };

/**
 * Starts another round of an ended batch: it renders the jobs that have no image, because they failed or never started, and
 * those whose image was rejected or lost, and writes the manifest. Settings that the server has forgotten come from the
 * batch's folder in the store.
 *
 * @throws BatchUnknown if the server does not know the batch and no store was named
 * @throws UserError if the batch is still running, was never planned, or there is nothing to render
 * @throws CatalogError with every problem of a corrected catalog
 * @example
 * ```js
 * import { connect, retryBatch } from 'pixart-batch';
 *
 * const client = await connect();
 * const { round, missing } = await retryBatch(client, 'summer');
 * console.log(`round ${round} renders ${missing} images`);
 * await client.close();
 * ```
 */
export async function retryBatch(client: BatchClient, batch: string, request: RetryRequest = {}): Promise<Retried> {
  checkRun(request);
  const before = await lastRound(client, batch, request);
  const { store } = before;
  // Checked before anything is written, and again once the round is on record.
  await checkNotRemoved(store, batch);
  const rows = await plannedRows(store, batch);
  const missing = rows.filter(({ hasImage }) => !hasImage).length;
  const isWanted = missing > 0 || request.decisions !== undefined || (request.again ?? []).length > 0;
  if (!isWanted && (await isRecorded(before, rows.length))) throw nothingToRetry(batch);
  const known = await withReading(before, request, rows);
  const details = {
    ...{ round: known.round + 1, missing, again: request.again?.length ?? 0 },
    ...{ withRejected: request.decisions !== undefined, withCatalog: request.corrected !== undefined },
  };
  const { input, revised } = await audited(store, { action: 'retry', batch, details }, async (tell) => {
    const { source, revised } = await keepRevisions(store, known, request, rows);
    const input = nextRound(known, source, request);
    await begin(client, store, input);
    tell({ rejected: revised.rejected, corrected: revised.corrected });
    return { input, revised };
  });
  return {
    round: input.round,
    missing,
    ...revised,
    from: before.from,
    isWebhookLost: before.isWebhookLost && request.webhook === undefined,
    settings: settingsOf(input),
  };
}

/** The previous round's input with the requested changes. */
function nextRound(
  known: LastRound['input'],
  source: Awaited<ReturnType<typeof keepRevisions>>['source'],
  { window, team, maxFailures, webhook }: RetryRequest,
): BatchInput {
  const changes = Object.entries({ window, team, maxFailures, webhook }).filter(([, value]) => value !== undefined);
  return {
    ...known,
    ...Object.fromEntries(changes),
    round: known.round + 1,
    source: { ...known.source, ...source },
  };
}

/** Whether the last round left a complete manifest and table. */
async function isRecorded({ store, input: { batch, round }, manifest }: LastRound, jobs: number): Promise<boolean> {
  return manifest !== null && manifest.round >= round && (await hasWholeTable(store, batch, jobs));
}

const nothingToRetry = (batch: string): UserError =>
  new UserError(
    `batch ${batch} has nothing to retry: no image is missing. To render images that you do not like again, use --rejected`,
  );

/** A corrected catalog is read like the batch's own; earlier versions did not record how. */
async function withReading(
  { store, input }: LastRound,
  { corrected }: RevisionRequest,
  rows: readonly BatchRow[],
): Promise<LastRound['input']> {
  if (input.source.reading !== undefined || corrected === undefined) return input;
  const { reading, defaults } = await plannedReading(store, input, corrected.columns ?? {}, rows);
  return { ...input, defaults, source: { ...input.source, reading } };
}

/** If two clients start the same round, even on different servers, the store lets only one do it. */
async function begin(client: BatchClient, store: ObjectStore, input: BatchInput): Promise<void> {
  const { batch, round, webhook } = input;
  const record = { batch, round, settings: roundSettings(input), hasWebhook: webhook !== undefined };
  if (!(await keepRound(store, record))) {
    throw new UserError(`batch ${batch}: someone else started round ${round} at the same time: watch it`);
  }
  await checkNotRemoved(store, batch);
  try {
    await client.temporal.workflow.start<Workflows['renderBatch']>('renderBatch', {
      ...batchStart(input),
      taskQueue: ORCHESTRATOR_QUEUE,
      workflowIdConflictPolicy: 'FAIL',
    });
  } catch (error) {
    throw error instanceof WorkflowExecutionAlreadyStartedError ? stillRuns(batch) : error;
  }
}

function settingsOf({ store, bundle, window, team, maxFailures }: BatchInput): Retried['settings'] {
  return { store, bundle: bundle.name, window, ...(team && { team }), ...(maxFailures && { maxFailures }) };
}
