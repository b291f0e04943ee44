import {
  ActivityCancellationType,
  ActivityFailure,
  CancelledFailure,
  patched,
  proxyActivities,
  sleep,
} from '@temporalio/workflow';
import type { JobOutcome } from '../../domain/receipt.ts';
import type { Size } from '../../domain/size.ts';
import { TOO_LITTLE_MEMORY } from '../../domain/thrift.ts';
import type { EarlierWork, RenderActivities } from '../contract/activities.ts';
import { USUAL_PRIORITY } from '../contract/control.ts';
import * as limits from '../contract/limits.ts';
import type { JobSummary } from '../contract/plan.ts';
import { largeRenderQueue, renderQueue } from '../contract/queues.ts';
import type { ShardInput } from '../contract/workflows.ts';
import { wasCancelled } from '../last-tries.ts';
import { failureOf, isKeyMissing } from './failure.ts';

type Scheduling = {
  activityId?: string;
  usualPriority?: number;
  /** What was computed when a worker had the job before. */
  earlier?: EarlierWork | undefined;
  /** Called with what had been computed when a job is cancelled. */
  onCancelled?: (work: EarlierWork) => void;
};

/**
 * Renders a job, and again on a larger machine if the first had too little memory for it. Waits for a render to confirm
 * its cancellation, because one that finishes anyway returns a receipt worth keeping.
 */
export async function renderJob(
  input: ShardInput,
  index: number,
  job: JobSummary,
  scheduling: Scheduling = {},
): Promise<JobOutcome> {
  const outcome = await renderOn(false, input, index, job, scheduling);
  if (!('reason' in outcome) || outcome.type !== TOO_LITTLE_MEMORY || !patched('larger-machines')) return outcome;
  return renderOn(true, input, index, job, scheduling);
}

function renderOn(
  isLarge: boolean,
  input: ShardInput,
  index: number,
  job: JobSummary,
  scheduling: Scheduling,
  keyWaitSeconds: number = limits.KEY_MISSING_SECONDS,
): Promise<JobOutcome> {
  const { activityId, usualPriority = USUAL_PRIORITY, earlier, onCancelled = () => {} } = scheduling;
  const { store, batch, round, shard, bundleDigest, team } = input;
  const { renderImage } = proxyActivities<RenderActivities>({
    taskQueue: isLarge ? largeRenderQueue(shard.size, bundleDigest) : usualQueue(shard.size, bundleDigest),
    startToCloseTimeout: limits.RENDER_START_TO_CLOSE,
    heartbeatTimeout: limits.RENDER_HEARTBEAT_TIMEOUT,
    retry: limits.RENDER_RETRY,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary: job.summary,
    ...(activityId !== undefined && { activityId: isLarge ? `${activityId}-large` : activityId }),
    priority: {
      priorityKey: movedPriority(job.priority, usualPriority),
      ...(team && { fairnessKey: team.name, fairnessWeight: team.weight }),
    },
  });
  const { summary } = job;
  const image = { store, batch, round, shard: shard.name, index, bundleDigest, summary, ...(earlier && { earlier }) };
  const longerWait = Math.min(2 * keyWaitSeconds, limits.KEY_MISSING_AT_MOST_SECONDS);
  const again = () => renderOn(isLarge, input, index, job, scheduling, longerWait);
  return renderImage(image).catch((error: unknown) => {
    if (isKeyMissing(error)) return sleep(1_000 * keyWaitSeconds).then(again);
    if (!wasCancelled(error)) return failureOf(job.id, error);
    const work = workOf(error);
    if (work !== undefined) onCancelled(work);
    throw new CancelledFailure('the batch was cancelled');
  });
}

const usualQueue = (size: Size, bundleDigest: string): string =>
  patched('queue-by-bundle') ? renderQueue(size, bundleDigest) : `render-${size}`;

/** What a worker reported when it confirmed a cancellation; nothing from earlier versions. */
function workOf(error: unknown): EarlierWork | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof CancelledFailure ? (cause.details?.[0] as EarlierWork | undefined) : undefined;
}

/** A job's priority in a batch whose priority was changed. */
export const movedPriority = (job: number, usual: number): number =>
  Math.min(5, Math.max(1, job + usual - USUAL_PRIORITY));
