import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ChildWorkflowCancellationType,
  type ChildWorkflowOptions,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { Size } from '../../domain/size.ts';
import type { BatchInput } from '../contract/batch.ts';
import * as limits from '../contract/limits.ts';
import type { ShardRef } from '../contract/plan.ts';
import { batchWorkflowId } from '../contract/queues.ts';
import type { ShardInput } from '../contract/shard.ts';
import { shardReportSignal } from '../messages.ts';
import { reasonOf, rootCause } from '../shard/failure.ts';
import type { renderShard } from '../shard/render-shard.ts';
import { slidingWindow } from '../shard/sliding-window.ts';
import type { Batch } from './batch-carry.ts';
import { keepBudget } from './batch-control.ts';
import { reported, settled } from './batch-progress.ts';

/** Runs until no shard waits, or until the history is long enough and the window has been drained. */
export async function renderShards(input: BatchInput, batch: Batch, update: () => void): Promise<void> {
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

export const shardWorkflowId = ({ batch, round }: BatchInput, { shard }: ShardRef): string =>
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
