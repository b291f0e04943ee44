import type { Size } from '../../domain/size.ts';
import { UserError } from '../../domain/user-error.ts';
import type { Bundle, Device } from '../pixart/index.ts';
import { imagesAtOnce } from './picture-facts.ts';
import { type Renderer, startRenderer } from './renderer.ts';
import { sampleCaptions, sampleRequest } from './sample-render.ts';

/** How many images share a call, and what a worker makes of it. */
export type MeasuredBatch = { images: number; imagesPerMinute: number };

/**
 * Larger batches make each image later and lose more of them with a dying child, so that they have to be worth it; a
 * measurement errs by as much.
 */
const WORTH_IT = 1.05;

/** Images that come one after the other are together from the second step of the last one on; then the first one ends. */
const STEPS = 3;

/** Each batch is measured for so long, and once at least. */
const WINDOW_MS = 1_000;

/** After it no other batch is tried: see measureShapes. */
const LONGEST_MS = 30_000;

type MeasureBatchesOptions = {
  bundle: Bundle;
  size: Size;
  device: Device;
  children: number;
  threads: number | undefined;
  signal?: AbortSignal | undefined;
};

/** One image a call, and twice as many each time, as far as a call has room for that many of the size. */
export const candidateBatches = (size: Size, { description }: Bundle, most: number): number[] =>
  [1, 2, 4, 8].filter((images) => images <= most && imagesAtOnce(size, { images, description }) === images);

/**
 * Measures on the device how many images of a size a bundle makes with each batch, smallest first, until one is no
 * faster than those before it, finds no memory, or the time is used up.
 *
 * @throws UserError where the bundle cannot be rendered; the signal's reason
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
    // Otherwise time ran out, or memory did for that many.
    if (error instanceof UserError) throw error;
    return { batches: measured, isWhole: false };
  } finally {
    await renderer.close();
  }
}

/** The fastest, or a smaller one that is about as fast; undefined of none. @param measured smallest first */
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
  // Memory is taken, and kernels are prepared.
  await together();
  stepsMs.length = 0;
  decodesMs.length = 0;
  const end = performance.now() + WINDOW_MS;
  do await together();
  while (performance.now() < end);
  // A decode that waited for another one took longer.
  const imagesMs = bundle.description.defaults.steps * least(stepsMs) + images * least(decodesMs);
  return (60_000 * all) / imagesMs;
}

const least = (numbers: readonly number[]): number => Math.min(...numbers);
