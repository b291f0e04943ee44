import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Logger } from 'pino';
import { StageTimer } from '../activities/stage-timer.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { Size } from '../domain/size.ts';
import type { RenderImageInput } from '../workflows/contract/activities.ts';
import { failedOutcome } from './attempt-outcome.ts';
import { observeActivities } from './observe-activities.ts';
import type { RenderMetrics } from './render-metrics.ts';
import { sinceEpoch } from './tracing/span.ts';
import type { Tracer } from './tracing/tracer.ts';

export type RenderObservers = { log: Logger; metrics: RenderMetrics | null; tracer: Tracer | null };

/**
 * Counts and logs every attempt to make an image of this size. It gives the activity a timer, which records the stages
 * in metrics and in the trace.
 */
export function observeRenders({ log, metrics, tracer }: RenderObservers, size: Size): ActivityInterceptorsFactory {
  return observeActivities(tracer, async ({ info }, { args }, activity, work) => {
    const input = onlyArgument(args) as RenderImageInput;
    const { batch, shard, index } = input;
    const { attempt } = info;
    const begun = performance.now();
    metrics?.queueWait(size, Math.max(0, Date.now() - info.currentAttemptScheduledTimestampMs) / 1_000);
    const said = (about: object): object => ({
      batch,
      ...about,
      size,
      attempt,
      ms: Math.round(performance.now() - begun),
    });
    const timer = new StageTimer((stage, startMs, endMs) => {
      metrics?.stage(size, stage, (endMs - startMs) / 1_000);
      activity.part(stage, sinceEpoch(startMs), sinceEpoch(endMs));
    });
    try {
      const receipt = (await work([input, timer])) as Receipt;
      const { id, outcome } = receipt;
      activity.describe({ job: id, size, outcome });
      metrics?.image(size, outcome);
      if (outcome === 'rendered') metrics?.microBatch(size, receipt.microBatch ?? 1);
      log.info(said({ job: id, outcome }), `image ${outcome}`);
      return receipt;
    } catch (error) {
      const outcome = failedOutcome(error);
      activity.describe({ shard, index, size, outcome });
      metrics?.image(size, outcome);
      log.info(said({ shard, index, outcome }), `image ${outcome}`);
      throw error;
    }
  });
}

/** The timer is passed as the second argument, where it would replace one from a workflow. */
function onlyArgument(args: unknown[]): unknown {
  if (args.length === 1) return args[0];
  throw new TypeError(`renderImage: expected its input as the only argument, found ${args.length} arguments`);
}
