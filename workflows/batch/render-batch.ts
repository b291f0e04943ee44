import {
  CancellationScope,
  CancelledFailure,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import type { OrchestratorActivities } from '../contract/activities.ts';
import type { BatchInput, BatchResult } from '../contract/batch.ts';
import * as limits from '../contract/limits.ts';
import type { BatchAnswer } from '../contract/progress.ts';
import { ORCHESTRATOR_QUEUE } from '../contract/queues.ts';
import { progressQuery } from '../messages.ts';
import { startSheetPage } from '../review-page/review-page.ts';
import { reasonOf, rootCause } from '../shard/failure.ts';
import { announce } from '../webhook/announce.ts';
import { type Batch, type BatchCarry, batchOf } from './batch-carry.ts';
import { takeControl } from './batch-control.ts';
import { planned, progressOf } from './batch-progress.ts';
import { renderShards, shardWorkflowId } from './batch-shards.ts';
import { catalogUrl } from './batch-start.ts';
import { publisher } from './batch-visibility.ts';

const { planBatch, writeManifest } = proxyActivities<OrchestratorActivities>({
  taskQueue: ORCHESTRATOR_QUEUE,
  scheduleToCloseTimeout: limits.ORCHESTRATE_SCHEDULE_TO_CLOSE,
  startToCloseTimeout: limits.ORCHESTRATE_START_TO_CLOSE,
  heartbeatTimeout: limits.ORCHESTRATE_HEARTBEAT_TIMEOUT,
  retry: limits.ORCHESTRATE_RETRY,
});

/** The sheet is a convenience: a batch does not wait for a day, or fail, for want of it. */
const { writeContactSheet } = proxyActivities<OrchestratorActivities>({
  taskQueue: ORCHESTRATOR_QUEUE,
  startToCloseTimeout: limits.ORCHESTRATE_START_TO_CLOSE,
  heartbeatTimeout: limits.ORCHESTRATE_HEARTBEAT_TIMEOUT,
  retry: { ...limits.ORCHESTRATE_RETRY, maximumAttempts: 3 },
});

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
  const batch = batchOf(input, carry);
  const publish = publisher();
  const update = () => publish(progressOf(input, batch.ledger, batch.control));
  setHandler(progressQuery, () => answerOf(input, batch));
  takeControl(input, batch, update);
  update();
  let cancellation: unknown = null;
  try {
    if (carry === undefined) await plan(input, batch);
    update();
    await renderShards(input, batch, update);
    stopIfCancelled(batch);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    cancellation = error;
  }
  if (batch.waiting.length > 0 && cancellation === null) {
    const { running: _, ...next } = batch;
    return continueAsNew<typeof renderBatch>(input, next);
  }
  const result = await CancellationScope.nonCancellable(() => finish(input, batch, update, cancellation !== null));
  if (cancellation !== null) throw cancellation;
  return result;
}

const answerOf = (input: BatchInput, { ledger, control, running }: Batch): BatchAnswer => ({
  ...progressOf(input, ledger, control),
  running: running.answering.map((shard) => ({
    shard,
    workflowId: shardWorkflowId(input, shard),
    report: ledger.running[shard.shard] ?? null,
  })),
});

/** Shards may all end well although the batch was cancelled, and a run that continues as new does not hear of it again. */
function stopIfCancelled({ waiting }: Batch): void {
  if (waiting.length > 0 && CancellationScope.current().consideredCancelled) {
    throw new CancelledFailure('the batch was cancelled');
  }
}

async function plan(input: BatchInput, batch: Batch): Promise<void> {
  const made = await planBatch(input);
  batch.waiting = made.shards;
  planned(batch.ledger, made);
}

async function finish(input: BatchInput, batch: Batch, update: () => void, cancelled: boolean): Promise<BatchResult> {
  const { ledger, lostShards, startedAt } = batch;
  const { store, round } = input;
  ledger.cancelled += batch.waiting.reduce((jobs, shard) => jobs + shard.jobs, 0);
  ledger.state = 'finishing';
  update();
  const state = cancelled ? 'cancelled' : 'completed';
  const catalog = catalogUrl(input.source);
  const bundle = { name: input.bundle.name, digest: input.bundle.digest };
  const { manifest, totals } = await writeManifest({
    store,
    batch: input.batch,
    round,
    ...(catalog !== undefined && { catalog }),
    bundle,
    state,
    startedAt,
    lostShards,
  });
  const contactSheet = await writeContactSheet({
    store,
    batch: input.batch,
    total: totals.rendered + totals.reused,
  }).catch(() => null);
  const sheetPage = patched('sheet-page') ? await startSheetPage(input).catch(() => undefined) : undefined;
  ledger.state = state;
  update();
  const { changes } = ledger;
  await announce(input, cancelled ? 'batch.cancelled' : 'batch.completed', {
    ...{ totals, manifest, contactSheet },
    ...(changes !== undefined && { changes }),
  });
  return { batch: input.batch, totals, manifest, contactSheet, ...(sheetPage !== undefined && { sheetPage }) };
}
