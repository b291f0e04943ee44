import { nearestBin } from '../../domain/bins.ts';
import type { Size } from '../../domain/size.ts';
import { UserError } from '../../domain/user-error.ts';
import type { Bundle, RenderRequest, RequestCaptions } from '../pixart/index.ts';
import { chosenShape, type MeasuredShape, type PoolShape } from './pool-shape.ts';
import { type Rendered, startRenderer } from './renderer.ts';

const TOKENS = 20;

/** From two steps, all steps of an image can be told. */
const STEPS = 2;

/** Each child renders for so long, and one image at least. */
const WINDOW_MS = 1_000;

/** After it no other shape is tried: where one image takes long, starting with it is worth more than the best shape. */
const LONGEST_MS = 20_000;

export type MeasureOptions = {
  bundle: Bundle;
  size: Size;
  signal?: AbortSignal | undefined;
};

export type Measured = {
  shapes: MeasuredShape[];
  /** Whether there was time and memory for all that could have been the best. */
  isWhole: boolean;
};

/**
 * Measures on this machine's processor how many images of a size a bundle makes with each shape, in turn, until one is no faster than
 * those before it or the time is used up. What was measured by then is given; nothing, where one image takes too long.
 *
 * @param shapes fewest children first
 * @throws UserError where the bundle cannot be rendered; the signal's reason
 */
export async function measureShapes(shapes: readonly PoolShape[], options: MeasureOptions): Promise<Measured> {
  const late = AbortSignal.timeout(LONGEST_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, late]) : late;
  const measured: MeasuredShape[] = [];
  for (const shape of shapes) {
    try {
      measured.push({ ...shape, imagesPerMinute: await imagesPerMinute(shape, { ...options, signal }) });
    } catch (error) {
      options.signal?.throwIfAborted();
      // Otherwise it was the time, or there was no memory for so many.
      if (error instanceof UserError) throw error;
      return { shapes: measured, isWhole: false };
    }
    if (chosenShape(measured)!.children !== shape.children) break;
  }
  return { shapes: measured, isWhole: true };
}

async function imagesPerMinute(shape: PoolShape, { bundle, size, signal }: MeasureOptions): Promise<number> {
  const renderer = await startRenderer({ bundleFolder: bundle.folder, device: 'cpu', ...shape, signal });
  const request = sampleRequest(bundle, size);
  const captions = sampleCaptions(bundle);
  const render = (): Promise<Rendered> => renderer.render(request, captions, { signal });
  const ofEach = <T>(work: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: shape.children }, work));
  try {
    // Memory is taken, and kernels are prepared.
    await ofEach(render);
    const end = performance.now() + WINDOW_MS;
    const rates = await ofEach(async () => {
      const seconds: number[] = [];
      do seconds.push(secondsOfImage(shape, bundle, await render()));
      while (performance.now() < end);
      return seconds.length / sum(seconds);
    });
    return 60 * sum(rates);
  } finally {
    await renderer.close();
  }
}

function sampleRequest({ description }: Bundle, size: Size): RenderRequest {
  const bin = nearestBin(size, 1, 1);
  const { guidance } = description.defaults;
  return { prompt: '', negativePrompt: '', size, bin, ...bin, seed: 1, steps: STEPS, guidance };
}

/** What a short prompt might look like: numbers cost the same whatever they are, and no encoder has to be loaded. */
function sampleCaptions({ description }: Bundle): RequestCaptions {
  const { heads, headWidth } = description.transformer;
  const states = Float32Array.from({ length: TOKENS * heads * headWidth }, (_, i) => Math.sin(i));
  const caption = { states, tokens: TOKENS };
  return { prompt: caption, negative: description.defaults.guidance > 1 ? caption : null };
}

/**
 * What an image takes with all of the bundle's steps. One thread has nothing to wait for, so that what its process lacks of processor time
 * others took, as they do while a machine starts; it is not counted.
 */
function secondsOfImage({ threads }: PoolShape, { description }: Bundle, { timings, processorMs }: Rendered): number {
  const { denoiseMs, decodeMs } = timings;
  const undisturbed = threads === 1 ? Math.min(1, processorMs / (denoiseMs + decodeMs)) : 1;
  return (undisturbed * ((denoiseMs / STEPS) * description.defaults.steps + decodeMs)) / 1_000;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
