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

/** What a person asks of a retry; what is left out is as in the round before. */
export type RetryRequest = RevisionRequest &
  Pick<BatchRequest, 'window' | 'team' | 'maxFailures' | 'webhook'> & {
    /** Where the batch lies: for a server that has forgotten it, or a store that has moved. A folder, a `file:` or a `gs://` URL. */
    store?: string | undefined;
    /** For a batch that an earlier version began and the server has forgotten, where its bundle is not among the installed ones. */
    bundle?: BundleRef | undefined;
  };

/** A round that was started, how many images the batch lacked, and how many of its rows come out otherwise. */
export type Retried = Revised &
  Pick<LastRound, 'from' | 'isWebhookLost'> & {
    round: number;
    missing: number;
    /** What the round runs with. */
    settings: { store: string; bundle: string; window: number; team?: Team; maxFailures?: FailureBudget };
  };

/**
 * Starts another round of a batch that has ended: it renders the jobs that have no image, failed or never started, and those
 * whose image was rejected or lost, and writes the manifest. What the server has forgotten is taken from the batch's folder in the store.
 *
 * @throws BatchUnknown where the server does not know the batch and no store was named
 * @throws UserError where the batch still runs, was never planned, or nothing is to be made
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
  // Before anything is written, and again when the round is on record.
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

/** As the round before, but for what is asked for now. */
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

/** The last round has left its manifest and the table, and both are whole. */
async function isRecorded({ store, input: { batch, round }, manifest }: LastRound, jobs: number): Promise<boolean> {
  return manifest !== null && manifest.round >= round && (await hasWholeTable(store, batch, jobs));
}

const nothingToRetry = (batch: string): UserError =>
  new UserError(
    `batch ${batch} has nothing to retry: no image is missing. Images that you do not want are made again with --rejected`,
  );

/** A corrected catalog is read as the batch's own was, and earlier versions did not keep how that was. */
async function withReading(
  { store, input }: LastRound,
  { corrected }: RevisionRequest,
  rows: readonly BatchRow[],
): Promise<LastRound['input']> {
  if (input.source.reading !== undefined || corrected === undefined) return input;
  const { reading, defaults } = await plannedReading(store, input, corrected.columns ?? {}, rows);
  return { ...input, defaults, source: { ...input.source, reading } };
}

/** Of two who begin the same round, on whatever servers, the store lets one. */
async function begin(client: BatchClient, store: ObjectStore, input: BatchInput): Promise<void> {
  const { batch, round, webhook } = input;
  const record = { batch, round, settings: roundSettings(input), hasWebhook: webhook !== undefined };
  if (!(await keepRound(store, record))) {
    throw new UserError(`batch ${batch}: somebody else has begun round ${round} at the same time: watch it`);
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
