import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { denoise } from '../../../models/pixart/denoise.ts';
import { Tensor } from '../../../models/pixart/onnxruntime.ts';
import type { Sampler } from '../../../models/pixart/samplers/sampler.ts';
import { StepBatcher } from '../../../models/pixart/step-batcher.ts';
import { CALLS_IN_A_ROW } from '../../../models/pixart/step-bins.ts';
import { type FixedInputs, joinCaptions } from '../../../models/pixart/step-inputs.ts';
import { aloneAt } from './golden-networks.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Turns of the event loop within which everything here has long ended. */
const FOREVER = 20_000;

/** An image whose latents say what it is, so that a mix-up of rows or inputs changes them. */
type Image = {
  seed: number;
  width: number;
  steps: number;
  tokens: number;
  isGuided: boolean;
  /** Turns of the event loop before it enters, and while it keeps a state after each step. */
  delay: number;
  keeps: number;
  /** The step after which it is cancelled, makes the transformer throw, or has no finite latents. */
  ends: { how: 'cancelled' | 'poisoned' | 'infinite'; step: number } | null;
};

const imageArbitrary: fc.Arbitrary<Image> = fc.record({
  seed: fc.integer({ min: 1, max: 1_000 }),
  width: fc.constantFrom(2, 4, 6),
  steps: fc.integer({ min: 1, max: 12 }),
  tokens: fc.integer({ min: 1, max: 5 }),
  isGuided: fc.boolean(),
  delay: fc.integer({ min: 0, max: 40 }),
  keeps: fc.constantFrom(0, 0, 1, 9),
  ends: fc.option(
    fc.record({
      how: fc.constantFrom('cancelled' as const, 'poisoned' as const, 'infinite' as const),
      step: fc.integer({ min: 0, max: 11 }),
    }),
    { freq: 3 },
  ),
});

const POISON = 2 ** 100;

type Call = { images: number; shape: string };

/**
 * Computes row by row, as a transformer does; it takes its time, and throws for poisoned latents and for more rows than
 * it has room for.
 */
function transformerOf(calls: Call[], room = Number.POSITIVE_INFINITY) {
  let isBusy = false;
  return {
    async run(inputs: Record<string, Tensor>): Promise<Float32Array> {
      if (isBusy) throw new Error('two calls at once');
      isBusy = true;
      await turn();
      isBusy = false;
      const [latents, timesteps] = [inputs.latents!.data as Float32Array, inputs.timestep!.data as Float32Array];
      const [captions, mask] = [inputs.caption!.data as Float32Array, inputs.caption_mask!.data as BigInt64Array];
      const rows = timesteps.length;
      calls.push({ images: rows, shape: inputs.latents!.dims.slice(1).join('×') });
      if (rows > room) throw new Error('failed to allocate memory');
      if (latents.includes(POISON)) throw new Error('poisoned');
      const [length, tokens] = [latents.length / rows, mask.length / rows];
      return latents.map((latent, i) => {
        const row = Math.floor(i / length);
        let text = 0;
        for (let token = 0; token < tokens; token++)
          if (mask[row * tokens + token] === 1n) text += captions[row * tokens + token]!;
        return Math.sin(latent + text + timesteps[row]!);
      });
    },
  };
}

const inputsOf = ({ seed, width, tokens, isGuided }: Image) => ({
  ...{ channels: 1, height: 2, width, guidance: 3 },
  tokens: width / 2,
  positions: { position_embedding: new Tensor('float32', new Float32Array(width / 2), [1, width / 2, 1]) },
  prompt: { states: Float32Array.from({ length: tokens }, (_, i) => seed + i), tokens },
  negative: isGuided ? { states: Float32Array.of(-seed), tokens: 1 } : null,
});

function samplerOf({ seed, width, steps, ends }: Image): Sampler {
  let latents = Float32Array.from({ length: 2 * width }, (_, i) => Math.cos(seed * i));
  return {
    timesteps: Array.from({ length: steps }, (_, i) => 900 - i),
    get latents() {
      return latents;
    },
    modelInput: (step) => (ends?.how === 'poisoned' && ends.step === step ? latents.fill(POISON) : latents),
    step(step, prediction) {
      const isLost = ends?.how === 'infinite' && ends.step === step;
      latents = latents.map((latent, i) => (isLost ? Number.NaN : latent - 0.3 * prediction[i]!));
    },
    save: () => [latents],
    restore: () => false,
  };
}

/** What becomes of an image in company. */
async function outcomeOf(image: Image, batcher: StepBatcher, most: number): Promise<Float32Array | string> {
  for (let i = 0; i < image.delay; i++) await turn();
  const stop = new AbortController();
  const place = batcher.enter({ name: `${image.width} ${image.isGuided}`, most });
  const { ends } = image;
  const cancelAt = ends?.how === 'cancelled' ? ends.step : -1;
  if (cancelAt === 0) stop.abort(new Error('cancelled'));
  const keep = async (): Promise<void> => {
    for (let i = 0; i < image.keeps; i++) await turn();
  };
  try {
    return await denoise(place, samplerOf(image), inputsOf(image), {
      signal: stop.signal,
      // Some turns later, it waits for the device or has it.
      onStep: (step) => step === cancelAt && setImmediate(() => stop.abort(new Error('cancelled'))),
      ...(image.keeps > 0 && { keeping: { everyMs: 0, keep } }),
    });
  } catch (error) {
    return (error as Error).message;
  } finally {
    place.leave();
  }
}

const aloneOf = (image: Image): Promise<Float32Array> =>
  denoise(aloneAt(transformerOf([])), samplerOf({ ...image, ends: null }), inputsOf(image), {});

async function inTime<T>(work: Promise<T>): Promise<T> {
  let isOver = false;
  void work.finally(() => {
    isOver = true;
  });
  for (let i = 0; i < FOREVER && !isOver; i++) await turn();
  if (!isOver) throw new Error('an image waits forever');
  return work;
}

const EXPECTED = { cancelled: 'cancelled', poisoned: 'poisoned', infinite: /latents after step \d+ of/ };

test('however images join, leave, are cancelled and fail, each of the others is what it is alone, and none waits forever', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(imageArbitrary, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 8 }),
      fc.constantFrom(2, 4, Number.POSITIVE_INFINITY),
      async (images, most, room) => {
        const calls: Call[] = [];
        const batcher = new StepBatcher(transformerOf(calls, room));
        const outcomes = await inTime(Promise.all(images.map((image) => outcomeOf(image, batcher, most))));
        for (const [i, image] of images.entries()) {
          const { ends, steps } = image;
          // A fault beyond its last step is none.
          const isFaulty = ends !== null && (ends.how === 'cancelled' ? ends.step <= steps : ends.step < steps);
          if (isFaulty) expect(outcomes[i]).toEqual(stringThat(EXPECTED[ends.how]));
          else expect(outcomes[i]).toEqual(await aloneOf(image));
        }
        for (const { images: rows } of calls) expect(rows).toBeLessThanOrEqual(2 * most);
      },
    ),
    { numRuns: 300 },
  );
});

const stringThat = (expected: string | RegExp) => expect.stringMatching(expected);

const image = (changes: Partial<Image> = {}): Image => ({
  ...{ seed: 1, width: 4, steps: 6, tokens: 2, isGuided: false, delay: 0, keeps: 0, ends: null },
  ...changes,
});

async function callsOf(images: Image[], most: number, room?: number): Promise<Call[]> {
  const calls: Call[] = [];
  const batcher = new StepBatcher(transformerOf(calls, room));
  await inTime(Promise.all(images.map((image) => outcomeOf(image, batcher, most))));
  return calls;
}

test('images of one bin share every call, and one that comes later joins between two steps', async () => {
  const together = await callsOf([image(), image({ seed: 2 }), image({ seed: 3 })], 8);
  expect(together.map(({ images }) => images)).toEqual([3, 3, 3, 3, 3, 3]);

  const late = await callsOf([image(), image({ seed: 2, delay: 9 })], 8);
  expect(late.map(({ images }) => images).toSorted()).not.toEqual(late.map(() => 1));
  expect(late.length).toBeLessThan(12);
});

test('an image that keeps a state is not waited for', async () => {
  const calls = await callsOf([image({ keeps: 9 }), image({ seed: 2 })], 8);
  const alone = calls.filter(({ images }) => images === 1);
  expect(alone.length).toBeGreaterThanOrEqual(5);
});

test('bins have the device in turn, for some calls each', async () => {
  const calls = await callsOf([image({ steps: 40 }), image({ steps: 40, width: 6 })], 8);
  const changes = calls.slice(1).filter(({ shape }, i) => shape !== calls[i]!.shape).length;
  expect(calls).toHaveLength(80);
  expect(changes).toBeLessThanOrEqual(80 / CALLS_IN_A_ROW);
  // Both of them are nearly done by the time that either is.
  const last = (shape: string): number => calls.findLastIndex((call) => call.shape === shape);
  expect(Math.abs(last('1×2×4') - last('1×2×6'))).toBeLessThanOrEqual(CALLS_IN_A_ROW + 1);
});

test('where a call is too large for the device, its images are computed alone and share smaller calls from then on', async () => {
  const images = [1, 2, 3, 4].map((seed) => image({ seed }));
  const rows = (await callsOf(images, 8, 2)).map(({ images }) => images);
  expect(rows).toEqual([4, 1, 1, 1, 1, ...Array.from({ length: 10 }, () => 2)]);
});

test('an image that is cancelled while a shared call fails has no call of its own', async () => {
  const calls: Call[] = [];
  const transformer = transformerOf(calls, 2);
  const stop = new AbortController();
  const batcher = new StepBatcher({
    run: (inputs) =>
      transformer.run(inputs as Record<string, Tensor>).finally(() => stop.abort(new Error('cancelled'))),
  });
  const draw = (seed: number, signal?: AbortSignal) => {
    const place = batcher.enter({ name: 'square', most: 8 });
    const drawn = denoise(place, samplerOf(image({ steps: 1 })), inputsOf(image({ seed })), { signal });
    return drawn.finally(() => place.leave());
  };
  const [cancelled, ...others] = await inTime(Promise.allSettled([draw(1, stop.signal), draw(2), draw(3)]));
  expect(cancelled).toMatchObject({ reason: { message: 'cancelled' } });
  expect(others.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  expect(calls.map(({ images }) => images)).toEqual([3, 1, 1]);
});

test('with a micro-batch of one, every call is one image', async () => {
  const calls = await callsOf([image(), image({ seed: 2 })], 1);
  expect(calls.map(({ images }) => images)).toEqual(Array.from({ length: 12 }, () => 1));
});

test('negative prompt and prompt that go in two calls are each joined once, and nothing is kept of an image that is done', async () => {
  const joined: WeakRef<FixedInputs>[] = [];
  const batcher = new StepBatcher(transformerOf([]), (images) => {
    joined.push(new WeakRef(images[0]!));
    return joinCaptions(images);
  });
  const place = batcher.enter({ name: Symbol('alone'), most: 1 });
  const halved = { ...inputsOf(image({ isGuided: true })), halves: true } as const;
  await denoise(place, samplerOf(image()), halved, {});
  place.leave();
  expect(joined).toHaveLength(2);
  await untilCollected(joined);
  // It is still there, and takes the next image.
  batcher.enter({ name: Symbol('alone'), most: 1 }).leave();
});

async function untilCollected(references: readonly WeakRef<object>[]): Promise<void> {
  while (references.some((reference) => reference.deref() !== undefined)) {
    await turn();
    collectGarbage();
  }
}
