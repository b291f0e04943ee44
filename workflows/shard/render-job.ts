import {
  ActivityCancellationType,
  ActivityFailure,
  CancelledFailure,
  patched,
  proxyActivities,
} from '@temporalio/workflow';
import type { JobOutcome } from '../../domain/receipt.ts';
import type { EarlierWork, RenderActivities } from '../contract/activities.ts';
import { USUAL_PRIORITY } from '../contract/control.ts';
import * as limits from '../contract/limits.ts';
import type { JobSummary } from '../contract/plan.ts';
import { renderQueue } from '../contract/queues.ts';
import type { ShardInput } from '../contract/workflows.ts';
import { wasCancelled } from '../last-tries.ts';
import { failureOf } from './failure.ts';

export type Scheduling = {
  activityId?: string;
  usualPriority?: number;
  /** What was computed of the job when a worker had it before. */
  earlier?: EarlierWork | undefined;
  /** Hears what had been computed of a job that is cancelled. */
  onCancelled?: (work: EarlierWork) => void;
};

/** Waits for a render to confirm its cancellation, because one that finishes all the same gives a receipt worth keeping. */
export function renderJob(
  input: ShardInput,
  index: number,
  job: JobSummary,
  { activityId, usualPriority = USUAL_PRIORITY, earlier, onCancelled = () => {} }: Scheduling = {},
): Promise<JobOutcome> {
  const { store, batch, round, shard, bundleDigest, team } = input;
  const { renderImage } = proxyActivities<RenderActivities>({
    taskQueue: patched('queue-by-bundle') ? renderQueue(shard.size, bundleDigest) : `render-${shard.size}`,
    startToCloseTimeout: limits.RENDER_START_TO_CLOSE,
    heartbeatTimeout: limits.RENDER_HEARTBEAT_TIMEOUT,
    retry: limits.RENDER_RETRY,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary: job.summary,
    ...(activityId !== undefined && { activityId }),
    priority: {
      priorityKey: movedPriority(job.priority, usualPriority),
      ...(team && { fairnessKey: team.name, fairnessWeight: team.weight }),
    },
  });
  const image = { store, batch, round, shard: shard.name, index, bundleDigest, ...(earlier && { earlier }) };
  return renderImage(image).catch((error: unknown) => {
    if (!wasCancelled(error)) return failureOf(job.id, error);
    const work = workOf(error);
    if (work !== undefined) onCancelled(work);
    throw new CancelledFailure('the batch was cancelled');
  });
}

/** What the worker told that confirmed a cancellation; an earlier version tells nothing. */
function workOf(error: unknown): EarlierWork | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof CancelledFailure ? (cause.details?.[0] as EarlierWork | undefined) : undefined;
}

/** The priority of a job in a batch whose usual priority was moved. */
export const movedPriority = (job: number, usual: number): number =>
  Math.min(5, Math.max(1, job + usual - USUAL_PRIORITY));
