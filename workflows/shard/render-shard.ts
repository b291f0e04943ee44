import { CancellationScope, CancelledFailure, isCancellation, patched, setHandler } from '@temporalio/workflow';
import type { JobOutcome } from '../../domain/receipt.ts';
import { type ShardControl, USUAL_PRIORITY } from '../contract/control.ts';
import { REPORT_JOBS_AT_LEAST } from '../contract/limits.ts';
import type { JobSummary } from '../contract/plan.ts';
import type { ShardReport } from '../contract/progress.ts';
import type { ShardInput } from '../contract/workflows.ts';
import { endsInTime, write } from '../last-tries.ts';
import { shardControlSignal, shardProgressQuery } from '../messages.ts';
import { orchestrator } from '../orchestrator.ts';
import { renderJob } from './render-job.ts';
import { ShardReports } from './shard-reports.ts';
import { slidingWindow } from './sliding-window.ts';
import { WantedJobs } from './wanted-jobs.ts';

/**
 * Renders one shard's jobs, a window at a time, and writes their outcomes. A job that cannot be rendered is recorded
 * and the shard continues; a cancelled shard records what it has done, reports to its batch and ends as cancelled.
 */
export async function renderShard(input: ShardInput): Promise<ShardReport> {
  const { store, shard } = input;
  const isControlled = patched('live-control');
  const atLeast = patched('fewer-reports') ? REPORT_JOBS_AT_LEAST : 0;
  const reports = new ShardReports(shard.shard, shard.jobs, { inTime: isControlled, atLeast });
  setHandler(shardProgressQuery, () => reports.current);
  const control = isControlled ? latestControl(input) : null;
  const jobs = await orchestrator.readShard.executeWithOptions({ summary: `${shard.jobs} jobs` }, [
    { store, shard: shard.name, jobs: shard.jobs },
  ]);
  const outcomes: JobOutcome[] = [];
  const onOutcome = (outcome: JobOutcome): void => {
    outcomes.push(outcome);
    reports.add(outcome);
  };
  const rendering =
    control === null
      ? renderUncontrolled(input, jobs, onOutcome)
      : new WantedJobs(input, jobs, control(), onOutcome).run();
  const cancellation = await caught(rendering);
  const unwritten = await writeReceipts(input, jobs.length, outcomes);
  const end = cancellation ?? unwritten;
  await CancellationScope.nonCancellable(() => reports.settle(end !== null));
  if (end !== null) throw end;
  return reports.current;
}

/** @returns why a cancelled shard ends without receipts; a retry finds its images in the store */
async function writeReceipts(
  { store, batch, round, shard }: ShardInput,
  jobs: number,
  outcomes: JobOutcome[],
): Promise<CancelledFailure | null> {
  const summary = `${outcomes.length} of ${jobs} jobs`;
  const receipts = { store, batch, round, shard: shard.shard, outcomes };
  try {
    await write((by) => by.writeReceipts.executeWithOptions({ summary }, [receipts]));
    return null;
  } catch (error) {
    if (!CancellationScope.current().consideredCancelled || !endsInTime()) throw error;
    return new CancelledFailure('the batch was cancelled, and receipts could not be written', [], error as Error);
  }
}

/** The batch's last control settings, for a shard that is still reading its jobs. */
function latestControl({ control, window }: ShardInput): () => ShardControl {
  let latest = control ?? {
    sequence: 0,
    paused: false,
    window,
    priority: USUAL_PRIORITY,
    cancelAll: false,
    filters: [],
  };
  setHandler(shardControlSignal, (next) => {
    if (next.sequence > latest.sequence) latest = next;
  });
  return () => latest;
}

/** For shards whose history started before batches could be controlled. */
const renderUncontrolled = (
  input: ShardInput,
  jobs: JobSummary[],
  onOutcome: (outcome: JobOutcome) => void,
): Promise<void> =>
  slidingWindow(jobs.entries(), input.window, async ([index, job]) => onOutcome(await renderJob(input, index, job)));

async function caught(work: Promise<void>): Promise<Error | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (isCancellation(error)) return error as Error;
    throw error;
  }
}
