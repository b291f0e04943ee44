import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  patched,
  setHandler,
} from '@temporalio/workflow';
import type { Totals } from '../../domain/receipt.ts';
import { rootCause } from '../../domain/root-cause.ts';
import type { WrittenManifest } from '../contract/activities.ts';
import type { BatchInput, BatchResult } from '../contract/batch.ts';
import { catalogUrl } from '../contract/batch-start.ts';
import { LAST_TRIES_SECONDS, LIMIT_REACHED } from '../contract/limits.ts';
import { endsInTime, write } from '../last-tries.ts';
import { controlUpdate, progressQuery, shardReportSignal } from '../messages.ts';
import { orchestrator } from '../orchestrator.ts';
import { startReviewPage } from '../review-page/review-page.ts';
import { reasonOf } from '../shard/failure.ts';
import { announce } from '../webhook/webhook.ts';
import { Batch, type BatchCarry } from './batch.ts';
import { renderShards } from './render-shards.ts';

/** One round of a batch. If it fails as a whole, it calls its webhook. */
export async function renderBatch(input: BatchInput, carry?: BatchCarry): Promise<BatchResult> {
  const batch = new Batch(input, carry);
  try {
    return await renderRound(batch, carry === undefined);
  } catch (error) {
    if (!isCancellation(error) && !(error instanceof ContinueAsNew)) await fail(batch, rootCause(error));
    throw error;
  }
}

async function fail(batch: Batch, cause: unknown): Promise<void> {
  const reason = reasonOf(cause);
  const isRefused = cause instanceof ApplicationFailure && cause.type === LIMIT_REACHED && patched('tell-refusal');
  if (patched('tell-failure')) batch.endWithoutManifest(reason, isRefused ? 'refused' : undefined);
  const { totals } = batch.progress;
  await announce(batch.input, 'batch.failed', { reason, manifest: null, totals, ...(isRefused && { refused: true }) });
}

/**
 * One round of a batch: plans it, renders its shards with a window for each size, and writes the manifest and the
 * contact sheet. A cancelled batch stops its shards, still writes the manifest, and ends as cancelled.
 */
async function renderRound(batch: Batch, isFirstRun: boolean): Promise<BatchResult> {
  const { input } = batch;
  listen(batch);
  batch.show();
  tellCancellation(batch);
  let cancellation: unknown = null;
  try {
    if (isFirstRun) batch.begin(await orchestrator.planBatch(input));
    await renderShards(batch);
    stopIfCancelled(batch);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    cancellation = error;
  }
  if (batch.waiting.length > 0 && cancellation === null) return continueAsNew<typeof renderBatch>(input, batch.carry);
  const result = await finish(batch, cancellation === null ? 'completed' : 'cancelled');
  if (cancellation !== null) throw cancellation;
  return result;
}

/** Answers queries and applies changes; a change is in effect once its update returns. */
function listen(batch: Batch): void {
  setHandler(progressQuery, () => batch.answer);
  setHandler(controlUpdate, (change) => batch.change(change), { validator: (change) => batch.check(change) });
  setHandler(shardReportSignal, (report) => batch.reported(report));
}

/** Shows that the batch is stopping as soon as it is cancelled. */
function tellCancellation(batch: Batch): void {
  CancellationScope.current().cancelRequested.catch(() => {
    if (patched('tell-stopping')) batch.stop();
  });
}

/** All shards may succeed although the batch was cancelled, and a run that continues as new would not notice the cancellation. */
function stopIfCancelled({ waiting }: Batch): void {
  if (waiting.length > 0 && CancellationScope.current().consideredCancelled) {
    throw new CancelledFailure('the batch was cancelled');
  }
}

/** @throws CancelledFailure if the batch was cancelled and has to end without a manifest */
async function finish(batch: Batch, state: 'completed' | 'cancelled'): Promise<BatchResult> {
  batch.finish();
  const beside = isAllRecorded(batch, state) && patched('sheet-beside-manifest') ? writeContactSheet(batch) : null;
  const written = await writeManifest(batch, state);
  batch.recorded(written);
  const { manifest, totals } = written;
  const { input } = batch;
  const sheet = (await beside) ?? (await writeContactSheet(batch, totals));
  const contactSheet = sheet?.name ?? null;
  const startPage = () => CancellationScope.nonCancellable(() => startReviewPage(input));
  const sheetPage = patched('sheet-page') ? await startPage().catch(() => undefined) : undefined;
  batch.end(state);
  const { changes, warnings } = batch.progress;
  await announce(input, `batch.${state}`, {
    totals,
    manifest,
    contactSheet,
    ...(changes !== undefined && { changes }),
  });
  return {
    batch: input.batch,
    totals,
    manifest,
    contactSheet,
    ...(sheetPage !== undefined && { sheetPage }),
    ...(warnings !== undefined && { warnings }),
  };
}

/** Whether the manifest only reads what shards have written, like the contact sheet; for lost shards it writes receipts. */
const isAllRecorded = ({ lostShards }: Batch, state: 'completed' | 'cancelled'): boolean =>
  state === 'completed' && lostShards.length === 0;

/** Returns `null` if the sheet could not be written; its `name` is `null` if there is no image to show. */
async function writeContactSheet(
  { input, progress }: Batch,
  { rendered, reused }: Pick<Totals, 'rendered' | 'reused'> = progress.totals,
): Promise<{ name: string | null } | null> {
  const sheet = { store: input.store, batch: input.batch, total: rendered + reused };
  try {
    return { name: await write((by) => by.writeContactSheet(sheet)) };
  } catch {
    return null;
  }
}

async function writeManifest(batch: Batch, state: 'completed' | 'cancelled'): Promise<WrittenManifest> {
  const { input, startedAt, lostShards } = batch;
  const { store, round, batch: id } = input;
  const catalog = catalogUrl(input.source);
  const manifest = {
    ...{ store, batch: id, round, state, startedAt, lostShards },
    ...(catalog !== undefined && { catalog }),
    bundle: { name: input.bundle.name, digest: input.bundle.digest },
  };
  try {
    return await write((by) => by.writeManifest(manifest));
  } catch (error) {
    if (!CancellationScope.current().consideredCancelled || !endsInTime()) throw error;
    const reason = isCancellation(error) ? NOT_BEGUN : reasonOf(rootCause(error));
    batch.endWithoutManifest(reason, 'cancelled');
    await announce(input, 'batch.cancelled', { reason, manifest: null, totals: batch.progress.totals });
    throw new CancelledFailure('the batch was cancelled');
  }
}

const NOT_BEGUN = `no orchestrator wrote it within ${LAST_TRIES_SECONDS} seconds of the cancellation`;
