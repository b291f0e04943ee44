import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  type ChildWorkflowOptions,
  ContinueAsNew,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  patched,
  proxyActivities,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { SIZES, type Size } from '../catalog/size.ts';
import { announce } from './batch-event.ts';
import { emptyLedger, type ProgressLedger, planned, progressOf, reported, settled } from './batch-progress.ts';
import { catalogUrl } from './batch-start.ts';
import { publisher } from './batch-visibility.ts';
import {
  type BatchAnswer,
  type BatchInput,
  type BatchResult,
  batchWorkflowId,
  type LostShard,
  ORCHESTRATOR_QUEUE,
  type OrchestratorActivities,
  type ShardInput,
  type ShardRef,
} from './contract.ts';
import { type BatchControl, type ControlChange, changed, firstControl, refusal, withinBudget } from './control.ts';
import { reasonOf } from './failure.ts';
import * as limits from './limits.ts';
import { controlUpdate, progressQuery, shardReportSignal } from './messages.ts';
import type { renderShard } from './render-shard.ts';
import { RunningShards } from './running-shards.ts';
import { startSheetPage } from './sheet-page.ts';
import { slidingWindow } from './sliding-window.ts';

/** What a batch hands to its next run when its history has grown long. */
export type BatchCarry = {
  startedAt: string;
  /** Shards that no run has started. */
  waiting: ShardRef[];
  lostShards: LostShard[];
  ledger: ProgressLedger;
  /** Missing in what an earlier version handed over. */
  control?: BatchControl;
};

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
  const batch: Batch = {
    ...(carry ?? firstCarry()),
    control: carry?.control ?? firstControl(input),
    running: new RunningShards(),
  };
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

/** A batch and what it knows of its shards that run, which ends with the run. */
type Batch = Required<BatchCarry> & { running: RunningShards };

const answerOf = (input: BatchInput, { ledger, control, running }: Batch): BatchAnswer => ({
  ...progressOf(input, ledger, control),
  running: running.answering.map((shard) => ({
    shard,
    workflowId: shardWorkflowId(input, shard),
    report: ledger.running[shard.shard] ?? null,
  })),
});

/** Lets people change how the batch is run. What they change is in force when the update is answered. */
function takeControl(input: BatchInput, batch: Batch, update: () => void): void {
  const take = (change: ControlChange): void => {
    batch.control = changed(batch.control, change, failedOf(batch));
    if (change.kind === 'cancel-size') leaveOut(batch, change.size);
    batch.running.tell(batch.control);
    update();
  };
  const validator = (change: ControlChange): void => {
    const { ledger, control } = batch;
    const sizes = SIZES.filter((size) => ledger.bySize[size] !== undefined);
    const isRunning = ledger.state === 'planning' || ledger.state === 'rendering';
    const rows = { sizes, columns: ledger.columns };
    const reason = isRunning ? refusal(control, rows, change) : `it is ${ledger.state}`;
    if (reason !== null) throw new Error(`batch ${input.batch}: ${reason}`);
  };
  setHandler(controlUpdate, take, { validator });
}

/** Shards of a cancelled size that have not begun never do. */
function leaveOut(batch: Batch, size: Size): void {
  for (const shard of batch.waiting) if (shard.size === size) batch.ledger.cancelled += shard.jobs;
  batch.waiting = batch.waiting.filter((shard) => shard.size !== size);
}

const failedOf = ({ ledger }: Batch): number =>
  Object.values(ledger.bySize).reduce((total, { failed }) => total + failed, 0);

/** Pauses the batch where too many of its jobs fail. */
function keepBudget(input: BatchInput, batch: Batch): void {
  const jobs = Object.values(batch.ledger.bySize).reduce((total, size) => total + size.jobs, 0);
  const control = withinBudget(batch.control, jobs, failedOf(batch));
  if (control === batch.control) return;
  batch.control = control;
  batch.running.tell(control);
  // Failures of a cancelled batch are told when it has ended, which is soon.
  if (CancellationScope.current().consideredCancelled) return;
  void announce(input, 'batch.paused', { reason: control.paused ?? '' }, control.version);
}

/** Shards may all end well although the batch was cancelled, and a run that continues as new does not hear of it again. */
function stopIfCancelled({ waiting }: Batch): void {
  if (waiting.length > 0 && CancellationScope.current().consideredCancelled) {
    throw new CancelledFailure('the batch was cancelled');
  }
}

const firstCarry = (): Omit<BatchCarry, 'control'> => ({
  startedAt: workflowInfo().startTime.toISOString(),
  waiting: [],
  lostShards: [],
  ledger: emptyLedger(),
});

async function plan(input: BatchInput, batch: Batch): Promise<void> {
  const made = await planBatch(input);
  batch.waiting = made.shards;
  planned(batch.ledger, made);
}

/** Runs until no shard waits, or until the history is long enough and the window has been drained. */
async function renderShards(input: BatchInput, batch: Batch, update: () => void): Promise<void> {
  setHandler(shardReportSignal, (report) => {
    const shard = batch.running.find(report.shard);
    if (shard === undefined) return;
    reported(batch.ledger, shard, report);
    keepBudget(input, batch);
    update();
  });
  const next = () => {
    if (workflowInfo().continueAsNewSuggested) return 'stop';
    return batch.control.paused === null ? 'go' : condition(() => batch.control.paused === null);
  };
  const sizes = [...new Set(batch.waiting.map(({ size }) => size))];
  const windows = sizes.map((size) => {
    const lanes = Math.min(
      limits.SHARDS_AT_ONCE,
      input.window,
      batch.waiting.filter((shard) => shard.size === size).length,
    );
    const work = async (shard: ShardRef, lane: number) => {
      await renderOne(input, batch, shard, Math.floor((input.window + lane) / lanes));
      batch.running.remove(shard.shard, batch.control);
      keepBudget(input, batch);
      update();
    };
    return slidingWindow(taken(batch, size), lanes, work, next);
  });
  const ends = await Promise.allSettled(windows);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** Takes the waiting shards of one size off the list, one by one. */
function* taken(batch: Batch, size: Size): Generator<ShardRef> {
  for (;;) {
    const next = batch.waiting.findIndex((shard) => shard.size === size);
    if (next < 0) return;
    yield batch.waiting.splice(next, 1)[0]!;
  }
}

/** A shard that fails is noted and gives its place in the window back. */
async function renderOne(input: BatchInput, batch: Batch, shard: ShardRef, window: number): Promise<void> {
  const { store, round, bundle, team } = input;
  const control = batch.running.add(shard, batch.control);
  try {
    const handle = await startOnce({
      workflowId: shardWorkflowId(input, shard),
      args: [{ store, batch: input.batch, round, bundleDigest: bundle.digest, shard, window, team, control }],
      staticSummary: `Images of size ${shard.size}: ${shard.jobs}`,
      staticDetails: `Shard ${shard.shard} of batch \`${input.batch}\`, round ${round}. Its jobs: \`${shard.name}\` in \`${store}\`.`,
      // The shard writes its receipts before it ends, and the manifest is made from them.
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    });
    batch.running.started(shard.shard, handle, batch.control);
    reported(batch.ledger, shard, await handle.result());
    settled(batch.ledger, shard, 'completed');
  } catch (error) {
    if (isCancellation(error)) {
      settled(batch.ledger, shard, 'cancelled');
      // It still answers queries; what it has done would be counted twice.
      batch.running.ended(shard.shard);
      throw error;
    }
    const reason = reasonOf(rootCause(error));
    batch.lostShards.push({ shard: shard.shard, reason });
    settled(batch.ledger, shard, { lost: reason });
  }
}

const shardWorkflowId = ({ batch, round }: BatchInput, { shard }: ShardRef): string =>
  `${batchWorkflowId(batch)}/${round}-${shard}`;

/**
 * Starts a shard when its id is free. It is not where the batch was terminated and submitted again at once: that run's shards are
 * told to stop, and are still writing down what they have.
 */
async function startOnce(options: ChildWorkflowOptions & { workflowId: string; args: [ShardInput] }) {
  for (let seconds = 1; ; seconds = Math.min(2 * seconds, limits.ID_IN_USE_SECONDS)) {
    try {
      return await startChild<typeof renderShard>('renderShard', options);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await getExternalWorkflowHandle(options.workflowId)
        .cancel()
        .catch(() => undefined);
      await sleep(1_000 * seconds);
    }
  }
}

function rootCause(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? rootCause(error.cause) : error;
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
