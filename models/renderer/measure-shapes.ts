import type { Size } from '../../domain/size.ts';
import { UserError } from '../../domain/user-error.ts';
import type { Bundle } from '../pixart/index.ts';
import { chosenShape, type MeasuredShape, type PoolShape } from './pool-shape.ts';
import { type Rendered, startRenderer } from './renderer.ts';
import { sampleCaptions, sampleRequest } from './sample-render.ts';

/** A single thread waits for nothing, so if it had less than this share of a core, other programs took the rest. */
const UNDISTURBED = 0.9;

/** Two steps are enough to tell what all steps of an image take. */
const STEPS = 2;

/** How long each child renders; at least one image. */
const WINDOW_MS = 1_000;

/** After this time no other shape is tried: if one image takes that long, starting soon is worth more than the best shape. */
const LONGEST_MS = 20_000;

type MeasureOptions = {
  bundle: Bundle;
  size: Size;
  signal?: AbortSignal | undefined;
};

type Measured = {
  shapes: MeasuredShape[];
  /**
   * Whether time and memory sufficed for every shape that could have been the best, and no other program was seen to use
   * the processor.
   */
  isWhole: boolean;
};

/**
 * Measures on this machine's processor how many images of a size a bundle makes with each shape, in turn, until one is
 * no faster than those before it or time is up. Returns what was measured by then, which is nothing if even one image
 * takes too long.
 *
 * @param shapes fewest children first
 * @throws UserError if the bundle cannot be rendered; the signal's reason
 */
export async function measureShapes(shapes: readonly PoolShape[], options: MeasureOptions): Promise<Measured> {
  const late = AbortSignal.timeout(LONGEST_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, late]) : late;
  const measured: MeasuredShape[] = [];
  let isDisturbed = false;
  for (const shape of shapes) {
    try {
      const rate = await rateOf(shape, { ...options, signal });
      measured.push({ ...shape, imagesPerMinute: rate.imagesPerMinute });
      isDisturbed ||= rate.isDisturbed;
    } catch (error) {
      options.signal?.throwIfAborted();
      // Otherwise time was up, or there was too little memory.
      if (error instanceof UserError) throw error;
      return { shapes: measured, isWhole: false };
    }
    if (chosenShape(measured)!.children !== shape.children) break;
  }
  return { shapes: measured, isWhole: !isDisturbed };
}

type Rate = { imagesPerMinute: number; isDisturbed: boolean };

async function rateOf(shape: PoolShape, { bundle, size, signal }: MeasureOptions): Promise<Rate> {
  const renderer = await startRenderer({ bundleFolder: bundle.folder, device: 'cpu', ...shape, signal });
  const request = sampleRequest(bundle, size, STEPS);
  const captions = sampleCaptions(bundle);
  const render = (): Promise<Rendered> => renderer.render(request, captions, { signal });
  const ofEach = <T>(work: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: shape.children }, work));
  try {
    // A first run takes memory and prepares kernels.
    await ofEach(render);
    const end = performance.now() + WINDOW_MS;
    const ofChildren = await ofEach(async () => {
      const images: Rendered[] = [];
      do images.push(await render());
      while (performance.now() < end);
      return images;
    });
    const rates = ofChildren.map((images) => images.length / sum(images.map((image) => secondsOfImage(bundle, image))));
    return { imagesPerMinute: 60 * sum(rates), isDisturbed: wasDisturbed(shape, ofChildren.flat()) };
  } finally {
    await renderer.close();
  }
}

/** What an image takes with all of the bundle's steps. */
const secondsOfImage = ({ description }: Bundle, { timings: { denoiseMs, decodeMs } }: Rendered): number =>
  ((denoiseMs / STEPS) * description.defaults.steps + decodeMs) / 1_000;

/**
 * Whether other programs used the processor, as they do while a machine starts. With several threads nobody can tell:
 * they wait for each other.
 */
export function wasDisturbed(
  { threads }: PoolShape,
  images: readonly Pick<Rendered, 'timings' | 'processorMs'>[],
): boolean {
  const wallMs = sum(images.map(({ timings: { denoiseMs, decodeMs } }) => denoiseMs + decodeMs));
  return threads === 1 && sum(images.map(({ processorMs }) => processorMs)) < UNDISTURBED * wallMs;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
