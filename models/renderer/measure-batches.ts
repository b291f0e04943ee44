import type { Size } from '../../domain/size.ts';
import { UserError } from '../../domain/user-error.ts';
import type { Bundle, Device } from '../pixart/index.ts';
import { imagesAtOnce } from './picture-facts.ts';
import { type Renderer, startRenderer } from './renderer.ts';
import { sampleCaptions, sampleRequest } from './sample-render.ts';

/** How many images share a call, and what a worker makes of it. */
export type MeasuredBatch = { images: number; imagesPerMinute: number };

/**
 * Larger batches delay each image and lose more of them when a child dies, so they have to be this much faster.
 * Measurements vary by as much.
 */
const WORTH_IT = 1.05;

/** Images that start one after the other are computed together in the second step of the last one. */
const STEPS = 3;

/** How long each batch is measured; at least once. */
const WINDOW_MS = 1_000;

/** After this time no other batch is tried: see measureShapes. */
const LONGEST_MS = 30_000;

type MeasureBatchesOptions = {
  bundle: Bundle;
  size: Size;
  device: Device;
  children: number;
  threads: number | undefined;
  signal?: AbortSignal | undefined;
};

/** One image a call, then twice as many each time, as long as a call has room for that many of the size. */
export const candidateBatches = (size: Size, { description }: Bundle, most: number): number[] =>
  [1, 2, 4, 8].filter((images) => images <= most && imagesAtOnce(size, { images, description }) === images);

/**
 * Measures on the device how many images of a size a bundle makes with each batch, smallest first, until one is no
 * faster than those before it or lacks memory, or time is up.
 *
 * @throws UserError if the bundle cannot be rendered; the signal's reason
 */
export async function measureBatches(
  batches: readonly number[],
  { bundle, size, signal, ...pool }: MeasureBatchesOptions,
): Promise<{ batches: MeasuredBatch[]; isWhole: boolean }> {
  const late = AbortSignal.timeout(LONGEST_MS);
  const both = signal ? AbortSignal.any([signal, late]) : late;
  const microBatch = { images: Math.max(...batches), description: bundle.description };
  const measured: MeasuredBatch[] = [];
  const renderer = await startRenderer({ bundleFolder: bundle.folder, ...pool, microBatch, signal });
  try {
    for (const images of batches) {
      const imagesPerMinute = await rateOf(renderer, images, { bundle, size, signal: both });
      measured.push({ images, imagesPerMinute });
      if (chosenBatch(measured)!.images !== images) break;
    }
    return { batches: measured, isWhole: true };
  } catch (error) {
    signal?.throwIfAborted();
    // Otherwise time was up, or there was too little memory.
    if (error instanceof UserError) throw error;
    return { batches: measured, isWhole: false };
  } finally {
    await renderer.close();
  }
}

/** The fastest, or a smaller one that is about as fast; `undefined` if none was measured. @param measured smallest first */
export const chosenBatch = (measured: readonly MeasuredBatch[]): MeasuredBatch | undefined =>
  measured.reduce<MeasuredBatch | undefined>(
    (best, batch) => (best === undefined || batch.imagesPerMinute > WORTH_IT * best.imagesPerMinute ? batch : best),
    undefined,
  );

type RateOptions = { bundle: Bundle; size: Size; signal: AbortSignal };

async function rateOf(renderer: Renderer, images: number, { bundle, size, signal }: RateOptions): Promise<number> {
  const request = sampleRequest(bundle, size, STEPS);
  const captions = sampleCaptions(bundle);
  const stepsMs: number[] = [];
  const decodesMs: number[] = [];
  const one = async (isLast: boolean): Promise<void> => {
    let before = 0;
    const onStep = (step: number): void => {
      const now = performance.now();
      if (isLast && step === 2) stepsMs.push(now - before);
      before = now;
    };
    const { timings } = await renderer.render(request, captions, { signal, onStep });
    decodesMs.push(timings.decodeMs);
  };
  const all = renderer.children * images;
  const together = (): Promise<unknown> => Promise.all(Array.from({ length: all }, (_, i) => one(i === all - 1)));
  // A first run takes memory and prepares kernels.
  await together();
  stepsMs.length = 0;
  decodesMs.length = 0;
  const end = performance.now() + WINDOW_MS;
  do await together();
  while (performance.now() < end);
  // The shortest decode is the one that did not wait for another.
  const imagesMs = bundle.description.defaults.steps * least(stepsMs) + images * least(decodesMs);
  return (60_000 * all) / imagesMs;
}

const least = (numbers: readonly number[]): number => Math.min(...numbers);
