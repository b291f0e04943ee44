import type { MetricMeter } from '@temporalio/common';
import type { Size } from '../domain/size.ts';
import type { Stage } from '../domain/timings.ts';

/**
 * The outcome of an attempt to make an image. `retried`: it failed, and another attempt follows; `failed`: none follows.
 */
export type AttemptOutcome = (typeof OUTCOMES)[number];

const OUTCOMES = ['rendered', 'reused', 'failed', 'retried', 'cancelled'] as const;

const name = {
  images: 'pixart_images',
  stage: 'pixart_stage_seconds',
  queueWait: 'pixart_queue_wait_seconds',
  held: 'pixart_held_pictures',
  restarts: 'pixart_renderer_restarts',
  children: 'pixart_renderer_children',
  memory: 'pixart_device_memory_bytes',
  texts: 'pixart_texts_encoded',
  microBatch: 'pixart_micro_batch_images',
} as const;

/** From a tiny image's milliseconds to a 4k image's hours on a CPU. */
const SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000];

const IMAGES = [1, 2, 4, 8, 16, 32];

/** Bucket bounds of our histograms, for the exporter. */
export const METRIC_BUCKETS = { [name.stage]: SECONDS, [name.queueWait]: SECONDS, [name.microBatch]: IMAGES };

/**
 * A render worker's own metrics, besides those of Temporal's SDK. Labels are sizes, outcomes, stages and the device,
 * never a batch or a job, of which there are thousands.
 */
export type RenderMetrics = {
  image(size: Size, outcome: AttemptOutcome): void;
  stage(size: Size, stage: Stage, seconds: number): void;
  queueWait(size: Size, seconds: number): void;
  /** The largest number of images in one call together with a rendered image, including itself. */
  microBatch(size: Size, images: number): void;
  /** Finished pictures waiting for a store that refuses them. */
  held(size: Size, pictures: number): void;
  rendererRestarted(): void;
  /** Processes that render concurrently. */
  children(count: number): void;
  deviceMemory(bytes: number): void;
};

/** Creates the metrics for the device (such as `cuda:0`) and the sizes that this worker serves. */
export function createRenderMetrics(processMeter: MetricMeter, device: string, sizes: readonly Size[]): RenderMetrics {
  const meter = processMeter.withTags({ device });
  const images = meter.createCounter(name.images, undefined, 'Attempts to make an image, by outcome');
  const stages = meter.createHistogram(name.stage, 'float', undefined, 'Seconds that each stage of an image took');
  const waits = meter.createHistogram(
    name.queueWait,
    'float',
    undefined,
    'Seconds from when an image was due until a worker took it',
  );
  const microBatches = meter.createHistogram(
    name.microBatch,
    'int',
    undefined,
    'Largest number of images that shared a transformer call with a rendered image',
  );
  const restarts = meter.createCounter(name.restarts, undefined, 'Renderer processes that replaced a dead one');
  const held = meter.createGauge(name.held, 'int', undefined, 'Finished images waiting for a store that refuses them');
  const memory = meter.createGauge(
    name.memory,
    'int',
    undefined,
    'Memory in use: of the GPU, or of the renderer processes',
  );
  const children = meter.createGauge(name.children, 'int', undefined, 'Renderer processes that compute on the device');
  // Prometheus notices growth only from a value that it has seen, and would miss the first failure.
  restarts.add(0);
  for (const size of sizes) for (const outcome of OUTCOMES) images.add(0, { size, outcome });
  for (const size of sizes) held.set(0, { size });
  return {
    image: (size, outcome) => images.add(1, { size, outcome }),
    stage: (size, stage, seconds) => stages.record(seconds, { size, stage }),
    queueWait: (size, seconds) => waits.record(seconds, { size }),
    microBatch: (size, images) => microBatches.record(images, { size }),
    held: (size, pictures) => held.set(pictures, { size }),
    rendererRestarted: () => restarts.add(1),
    children: (count) => children.set(count),
    deviceMemory: (bytes) => memory.set(bytes),
  };
}

/** Metrics of a worker with a text encoder. */
type EncodeMetrics = { textEncoded(): void };

export function createEncodeMetrics(processMeter: MetricMeter, device: string): EncodeMetrics {
  const meter = processMeter.withTags({ device });
  const texts = meter.createCounter(name.texts, undefined, 'Texts that were encoded because no caption was kept');
  texts.add(0);
  return { textEncoded: () => texts.add(1) };
}
