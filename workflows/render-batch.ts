import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  type ChildWorkflowOptions,
  continueAsNew,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { Size } from '../catalog/size.ts';
import { emptyLedger, type ProgressLedger, planned, progressOf, reported, settled } from './batch-progress.ts';
import { publisher } from './batch-visibility.ts';
import {
  type BatchInput,
  type BatchResult,
  batchWorkflowId,
  type LostShard,
  ORCHESTRATOR_QUEUE,
  type OrchestratorActivities,
  type ShardInput,
  type ShardRef,
} from './contract.ts';
import { reasonOf } from './failure.ts';
import * as limits from './limits.ts';
import { progressQuery, shardReportSignal } from './messages.ts';
import type { renderShard } from './render-shard.ts';
import { slidingWindow } from './sliding-window.ts';

/** What a batch hands to its next run when its history has grown long. */
export type BatchCarry = {
  startedAt: string;
  /** Shards that no run has started. */
  waiting: ShardRef[];
  lostShards: LostShard[];
  ledger: ProgressLedger;
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

/**
 * One round of a batch: plans it, renders its shards with a window for each size, writes the manifest and the contact
 * sheet. A cancelled batch stops its shards, still writes the manifest, and ends as cancelled.
 */
export async function renderBatch(input: BatchInput, carry?: BatchCarry): Promise<BatchResult> {
  const batch: BatchCarry = carry ?? firstCarry();
  const publish = publisher();
  const update = () => publish(progressOf(input, batch.ledger));
  setHandler(progressQuery, () => ({ ...progressOf(input, batch.ledger), running: [] }));
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
    return continueAsNew<typeof renderBatch>(input, batch);
  }
  const result = await CancellationScope.nonCancellable(() => finish(input, batch, update, cancellation !== null));
  if (cancellation !== null) throw cancellation;
  return result;
}

/** Shards may all end well although the batch was cancelled, and a run that continues as new does not hear of it again. */
function stopIfCancelled({ waiting }: BatchCarry): void {
  if (waiting.length > 0 && CancellationScope.current().consideredCancelled) {
    throw new CancelledFailure('the batch was cancelled');
  }
}

const firstCarry = (): BatchCarry => ({
  startedAt: workflowInfo().startTime.toISOString(),
  waiting: [],
  lostShards: [],
  ledger: emptyLedger(),
});

async function plan(input: BatchInput, batch: BatchCarry): Promise<void> {
  const made = await planBatch(input);
  batch.waiting = made.shards;
  planned(batch.ledger, made);
}

/** Runs until no shard waits, or until the history is long enough and the window has been drained. */
async function renderShards(input: BatchInput, batch: BatchCarry, update: () => void): Promise<void> {
  const running = new Map<number, ShardRef>();
  setHandler(progressQuery, () => ({
    ...progressOf(input, batch.ledger),
    running: [...running.values()].map((shard) => ({
      shard,
      workflowId: shardWorkflowId(input, shard),
      report: batch.ledger.running[shard.shard] ?? null,
    })),
  }));
  setHandler(shardReportSignal, (report) => {
    const shard = running.get(report.shard);
    if (shard === undefined) return;
    reported(batch.ledger, shard, report);
    update();
  });
  const longHistory = () => workflowInfo().continueAsNewSuggested;
  const sizes = [...new Set(batch.waiting.map(({ size }) => size))];
  const windows = sizes.map((size) => {
    const lanes = Math.min(
      limits.SHARDS_AT_ONCE,
      input.window,
      batch.waiting.filter((shard) => shard.size === size).length,
    );
    const work = async (shard: ShardRef, lane: number) => {
      running.set(shard.shard, shard);
      await renderOne(input, batch, shard, Math.floor((input.window + lane) / lanes));
      running.delete(shard.shard);
      update();
    };
    return slidingWindow(taken(batch, size), lanes, work, longHistory);
  });
  const ends = await Promise.allSettled(windows);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** Takes the waiting shards of one size off the list, one by one. */
function* taken(batch: BatchCarry, size: Size): Generator<ShardRef> {
  for (;;) {
    const next = batch.waiting.findIndex((shard) => shard.size === size);
    if (next < 0) return;
    yield batch.waiting.splice(next, 1)[0]!;
  }
}

/** A shard that fails is noted and gives its place in the window back. */
async function renderOne(input: BatchInput, batch: BatchCarry, shard: ShardRef, window: number): Promise<void> {
  const { store, round, bundle } = input;
  try {
    const report = await executeOnce({
      workflowId: shardWorkflowId(input, shard),
      args: [{ store, batch: input.batch, round, bundleDigest: bundle.digest, shard, window }],
      staticSummary: `Images of size ${shard.size}: ${shard.jobs}`,
      staticDetails: `Shard ${shard.shard} of batch \`${input.batch}\`, round ${round}. Its jobs: \`${shard.name}\` in \`${store}\`.`,
      // The shard writes its receipts before it ends, and the manifest is made from them.
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    });
    reported(batch.ledger, shard, report);
    settled(batch.ledger, shard, 'completed');
  } catch (error) {
    if (isCancellation(error)) {
      settled(batch.ledger, shard, 'cancelled');
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
 * Runs a shard when its id is free. It is not where the batch was terminated and submitted again at once: that run's shards are
 * told to stop, and are still writing down what they have.
 */
async function executeOnce(options: ChildWorkflowOptions & { workflowId: string; args: [ShardInput] }) {
  for (let seconds = 1; ; seconds = Math.min(2 * seconds, limits.ID_IN_USE_SECONDS)) {
    try {
      return await executeChild<typeof renderShard>('renderShard', options);
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

async function finish(
  input: BatchInput,
  batch: BatchCarry,
  update: () => void,
  cancelled: boolean,
): Promise<BatchResult> {
  const { ledger, lostShards, startedAt } = batch;
  const { store, round } = input;
  ledger.cancelled += batch.waiting.reduce((jobs, shard) => jobs + shard.jobs, 0);
  ledger.state = 'finishing';
  update();
  const state = cancelled ? 'cancelled' : 'completed';
  const bundle = { name: input.bundle.name, digest: input.bundle.digest };
  const { manifest, totals } = await writeManifest({
    store,
    batch: input.batch,
    round,
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
  ledger.state = state;
  update();
  return { batch: input.batch, totals, manifest, contactSheet };
}
