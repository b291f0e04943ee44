import {
  CancellationScope,
  CancelledFailure,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  patched,
  setHandler,
} from '@temporalio/workflow';
import { rootCause } from '../../domain/root-cause.ts';
import type { BatchInput, BatchResult } from '../contract/batch.ts';
import { catalogUrl } from '../contract/batch-start.ts';
import { controlUpdate, progressQuery, shardReportSignal } from '../messages.ts';
import { orchestrator, writeContactSheet } from '../orchestrator.ts';
import { startReviewPage } from '../review-page/review-page.ts';
import { reasonOf } from '../shard/failure.ts';
import { announce } from '../webhook/webhook.ts';
import { Batch, type BatchCarry } from './batch.ts';
import { renderShards } from './render-shards.ts';

/** One round of a batch, which tells its webhook where it fails as a whole. */
export async function renderBatch(input: BatchInput, carry?: BatchCarry): Promise<BatchResult> {
  try {
    return await renderRound(input, carry);
  } catch (error) {
    if (!isCancellation(error) && !(error instanceof ContinueAsNew)) {
      await announce(input, 'batch.failed', { reason: reasonOf(rootCause(error)) });
    }
    throw error;
  }
}

/**
 * One round of a batch: plans it, renders its shards with a window for each size, writes the manifest and the contact
 * sheet. A cancelled batch stops its shards, still writes the manifest, and ends as cancelled.
 */
async function renderRound(input: BatchInput, carry?: BatchCarry): Promise<BatchResult> {
  const batch = new Batch(input, carry);
  listen(batch);
  batch.show();
  let cancellation: unknown = null;
  try {
    if (carry === undefined) batch.begin(await orchestrator.planBatch(input));
    await renderShards(batch);
    stopIfCancelled(batch);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    cancellation = error;
  }
  if (batch.waiting.length > 0 && cancellation === null) return continueAsNew<typeof renderBatch>(input, batch.carry);
  const state = cancellation === null ? 'completed' : 'cancelled';
  const result = await CancellationScope.nonCancellable(() => finish(batch, state));
  if (cancellation !== null) throw cancellation;
  return result;
}

/** Whoever asks is answered, and what people change is in force when their update is answered. */
function listen(batch: Batch): void {
  setHandler(progressQuery, () => batch.answer);
  setHandler(controlUpdate, (change) => batch.change(change), { validator: (change) => batch.check(change) });
  setHandler(shardReportSignal, (report) => batch.reported(report));
}

/** Shards may all end well although the batch was cancelled, and a run that continues as new does not hear of it again. */
function stopIfCancelled({ waiting }: Batch): void {
  if (waiting.length > 0 && CancellationScope.current().consideredCancelled) {
    throw new CancelledFailure('the batch was cancelled');
  }
}

async function finish(batch: Batch, state: 'completed' | 'cancelled'): Promise<BatchResult> {
  const { input, startedAt, lostShards } = batch;
  const { store, round, batch: id } = input;
  batch.finish();
  const catalog = catalogUrl(input.source);
  const written = await orchestrator.writeManifest({
    store,
    batch: id,
    round,
    state,
    startedAt,
    lostShards,
    ...(catalog !== undefined && { catalog }),
    bundle: { name: input.bundle.name, digest: input.bundle.digest },
  });
  batch.recorded(written);
  const { manifest, totals } = written;
  const images = totals.rendered + totals.reused;
  const contactSheet = await writeContactSheet({ store, batch: id, total: images }).catch(() => null);
  const sheetPage = patched('sheet-page') ? await startReviewPage(input).catch(() => undefined) : undefined;
  batch.end(state);
  const { changes, warnings } = batch.progress;
  await announce(input, `batch.${state}`, {
    totals,
    manifest,
    contactSheet,
    ...(changes !== undefined && { changes }),
  });
  return {
    batch: id,
    totals,
    manifest,
    contactSheet,
    ...(sheetPage !== undefined && { sheetPage }),
    ...(warnings !== undefined && { warnings }),
  };
}
