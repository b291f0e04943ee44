import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Receipt } from '../domain/receipt.ts';
import type { Size } from '../domain/size.ts';
import type { RenderImageInput } from '../workflows/contract/activities.ts';
import { failedOutcome } from './attempt-outcome.ts';
import { observeActivities } from './observe-activities.ts';
import type { RenderMetrics } from './render-metrics.ts';
import { type StageWatch, watched } from './stage-watch.ts';
import type { Tracer } from './tracing/tracer.ts';

export type RenderObservers = { log: Logger; metrics: RenderMetrics | null; tracer: Tracer | null };

/** Counts and logs every attempt to make an image of this size, and notes its stages in metrics and in its trace. */
export function observeRenders({ log, metrics, tracer }: RenderObservers, size: Size): ActivityInterceptorsFactory {
  return observeActivities(tracer, async ({ info }, { args }, activity, work) => {
    const { batch, shard, index } = args[0] as RenderImageInput;
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
    const watch = imageStages((stage, startMs, endMs) => {
      metrics?.stage(size, stage, (endMs - startMs) / 1_000);
      activity.part(stage, startMs, endMs);
    });
    try {
      const receipt = (await watched(watch, work)) as Receipt;
      const { id, outcome } = receipt;
      activity.describe({ job: id, size, outcome });
      metrics?.image(size, outcome);
      log.info(said({ job: id, outcome }), `image ${outcome}`);
      return receipt;
    } catch (error) {
      const outcome = failedOutcome(error, attempt);
      activity.describe({ shard, index, size, outcome });
      metrics?.image(size, outcome);
      log.info(said({ shard, index, outcome }), `image ${outcome}`);
      throw error;
    }
  });
}

/**
 * Between the end of decoding and the first write to the store an image is encoded, and its pixels have come over from the
 * renderer's process: that stage follows from its neighbours.
 */
function imageStages(hear: StageWatch['stage']): StageWatch {
  let decodedMs: number | null = null;
  return {
    stage(stage, startMs, endMs) {
      if (stage === 'store' && decodedMs !== null) hear('image_encode', decodedMs, startMs);
      decodedMs = stage === 'decode' ? endMs : null;
      hear(stage, startMs, endMs);
    },
  };
}
