import { ActivityCancellationType, CancelledFailure, patched, proxyActivities } from '@temporalio/workflow';
import type { JobOutcome } from '../../domain/receipt.ts';
import type { RenderActivities } from '../contract/activities.ts';
import { USUAL_PRIORITY } from '../contract/control.ts';
import * as limits from '../contract/limits.ts';
import type { JobSummary } from '../contract/plan.ts';
import { renderQueue } from '../contract/queues.ts';
import type { ShardInput } from '../contract/workflows.ts';
import { wasCancelled } from '../last-tries.ts';
import { failureOf } from './failure.ts';

export type Scheduling = { activityId?: string; usualPriority?: number };

/** Waits for a render to confirm its cancellation, because one that finishes all the same gives a receipt worth keeping. */
export function renderJob(
  input: ShardInput,
  index: number,
  job: JobSummary,
  { activityId, usualPriority = USUAL_PRIORITY }: Scheduling = {},
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
  return renderImage({ store, batch, round, shard: shard.name, index, bundleDigest }).catch((error: unknown) => {
    if (wasCancelled(error)) throw new CancelledFailure('the batch was cancelled');
    return failureOf(job.id, error);
  });
}

/** The priority of a job in a batch whose usual priority was moved. */
export const movedPriority = (job: number, usual: number): number =>
  Math.min(5, Math.max(1, job + usual - USUAL_PRIORITY));
