import { RetryState } from '@temporalio/common';
import {
  ActivityCancellationType,
  ActivityFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import type { Failure, Receipt } from '../catalog/receipt.ts';
import {
  type JobSummary,
  ORCHESTRATOR_QUEUE,
  type OrchestratorActivities,
  type RenderActivities,
  renderQueue,
  type ShardInput,
  type ShardReport,
} from './contract.ts';
import { failureOf } from './failure.ts';
import * as limits from './limits.ts';
import { shardProgressQuery } from './messages.ts';
import { ShardReports } from './shard-reports.ts';
import { slidingWindow } from './sliding-window.ts';

const orchestrator = proxyActivities<OrchestratorActivities>({
  taskQueue: ORCHESTRATOR_QUEUE,
  scheduleToCloseTimeout: limits.ORCHESTRATE_SCHEDULE_TO_CLOSE,
  startToCloseTimeout: limits.ORCHESTRATE_START_TO_CLOSE,
  heartbeatTimeout: limits.ORCHESTRATE_HEARTBEAT_TIMEOUT,
  retry: limits.ORCHESTRATE_RETRY,
});

/**
 * Renders one shard's jobs, `window` at a time, and writes what became of each. A job that cannot be rendered is noted
 * and the shard goes on; a cancelled shard notes what it had done, tells its batch and ends as cancelled.
 */
export async function renderShard(input: ShardInput): Promise<ShardReport> {
  const { store, batch, round, shard } = input;
  const reports = new ShardReports(shard.shard, shard.jobs, patched('reports-in-time'));
  setHandler(shardProgressQuery, () => reports.current);
  const jobs = await orchestrator.readShard.executeWithOptions({ summary: `${shard.jobs} jobs` }, [
    { store, shard: shard.name },
  ]);
  const outcomes: (Receipt | Failure)[] = [];
  const cancellation = await caught(
    slidingWindow(jobs.entries(), input.window, async ([index, job]) => {
      const outcome = await renderOne(input, index, job);
      outcomes.push(outcome);
      reports.add(outcome);
    }),
  );
  await CancellationScope.nonCancellable(async () => {
    await orchestrator.writeReceipts.executeWithOptions({ summary: `${outcomes.length} of ${jobs.length} jobs` }, [
      { store, batch, round, shard: shard.shard, outcomes },
    ]);
    await reports.settle(cancellation !== null);
  });
  if (cancellation !== null) throw cancellation;
  return reports.current;
}

/** Waits for a render to confirm its cancellation, because one that finishes all the same gives a receipt worth keeping. */
async function renderOne(input: ShardInput, index: number, job: JobSummary): Promise<Receipt | Failure> {
  const { store, batch, round, shard, bundleDigest } = input;
  const { renderImage } = proxyActivities<RenderActivities>({
    taskQueue: renderQueue(shard.size),
    startToCloseTimeout: limits.RENDER_START_TO_CLOSE,
    heartbeatTimeout: limits.RENDER_HEARTBEAT_TIMEOUT,
    retry: limits.RENDER_RETRY,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary: job.summary,
    priority: { priorityKey: job.priority },
  });
  try {
    return await renderImage({ store, batch, round, shard: shard.name, index, bundleDigest });
  } catch (error) {
    if (wasCancelled(error)) throw new CancelledFailure('the batch was cancelled');
    return failureOf(job.id, error);
  }
}

/** An attempt that fails for another reason after its cancellation was asked for (its worker died) is not tried again either. */
const wasCancelled = (error: unknown): boolean =>
  isCancellation(error) || (error instanceof ActivityFailure && error.retryState === RetryState.CANCEL_REQUESTED);

async function caught(work: Promise<void>): Promise<Error | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (isCancellation(error)) return error as Error;
    throw error;
  }
}
