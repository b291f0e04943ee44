import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ChildWorkflowCancellationType,
  type ChildWorkflowOptions,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { rootCause } from '../../domain/root-cause.ts';
import { ID_IN_USE_SECONDS, SHARDS_AT_ONCE } from '../contract/limits.ts';
import { code } from '../contract/markdown.ts';
import type { ShardRef } from '../contract/plan.ts';
import { shardWorkflowId } from '../contract/queues.ts';
import type { ShardInput, Workflows } from '../contract/workflows.ts';
import { reasonOf } from '../shard/failure.ts';
import { slidingWindow } from '../shard/sliding-window.ts';
import type { Batch } from './batch.ts';

/** Runs until no shard is waiting, or until the history is long enough and the window has drained. */
export async function renderShards(batch: Batch): Promise<void> {
  const next = () => {
    if (workflowInfo().continueAsNewSuggested) return 'stop';
    return batch.isPaused ? condition(() => !batch.isPaused) : 'go';
  };
  const { window } = batch.input;
  const sizes = [...new Set(batch.waiting.map(({ size }) => size))];
  const windows = sizes.map((size) => {
    const shards = batch.waiting.filter((shard) => shard.size === size).length;
    const lanes = Math.min(SHARDS_AT_ONCE, window, shards);
    const work = async (shard: ShardRef, lane: number) => {
      await renderOne(batch, shard, Math.floor((window + lane) / lanes));
      batch.release(shard);
    };
    return slidingWindow(batch.take(size), lanes, work, next);
  });
  const ends = await Promise.allSettled(windows);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** A failed shard is recorded, and its place in the window is freed. */
async function renderOne(batch: Batch, shard: ShardRef, window: number): Promise<void> {
  const { batch: id, store, round, bundle, team } = batch.input;
  const control = batch.admit(shard);
  try {
    const handle = await startOnce({
      workflowId: shardWorkflowId(batch.input, shard.shard),
      args: [
        { store, batch: id, round, bundleDigest: bundle.digest, encoder: bundle.encoder, shard, window, team, control },
      ],
      staticSummary: `Images of size ${shard.size}: ${shard.jobs}`,
      staticDetails: `Shard ${shard.shard} of batch ${code(id)}, round ${round}. Its jobs: ${code(shard.name)} in ${code(store)}.`,
      // The shard writes its receipts before it ends, and the manifest is made from them.
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    });
    batch.started(shard, handle);
    batch.completed(shard, await handle.result());
  } catch (error) {
    if (isCancellation(error)) {
      batch.cancelled(shard);
      throw error;
    }
    batch.lost(shard, reasonOf(rootCause(error)));
  }
}

/**
 * Starts a shard once its workflow id is free. The id is in use if the batch was terminated and submitted again
 * immediately: the earlier run's shards are told to stop, and are still writing their receipts.
 */
async function startOnce(options: ChildWorkflowOptions & { workflowId: string; args: [ShardInput] }) {
  for (let seconds = 1; ; seconds = Math.min(2 * seconds, ID_IN_USE_SECONDS)) {
    try {
      return await startChild<Workflows['renderShard']>('renderShard', options);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await getExternalWorkflowHandle(options.workflowId)
        .cancel()
        .catch(() => undefined);
      await sleep(1_000 * seconds);
    }
  }
}
