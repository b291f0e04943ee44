import { afterAll, beforeAll, expect, test } from 'vitest';
import { peakSignalToNoise } from '../../../benchmarks/bench/pictures.ts';
import { binsOf, nearestBin } from '../../../domain/bins.ts';
import { SIZES, type Size } from '../../../domain/size.ts';
import {
  type CaptionEncoder,
  loadCaptionEncoder,
  loadPainter,
  openBundle,
  type PaintedImage,
  type Painter,
  promptReader,
  type RenderRequest,
  type RequestCaptions,
  requestCaptions,
} from '../../../models/pixart/index.ts';
import { bundleFolder } from '../../../models/pixart/installed-bundles.ts';
import { imagesInCall } from '../../../models/pixart/micro-batch.ts';

/** Of a picture in company against itself alone: far below what an eye, or eight bits, can tell. */
const LEAST_PSNR = 50;

let painter: Painter;
let encoder: CaptionEncoder;
let read: Awaited<ReturnType<typeof promptReader>>['read'];

beforeAll(async () => {
  const bundle = await openBundle(await bundleFolder('pixart-icons'));
  const options = { device: 'cpu', threads: 2 } as const;
  painter = await loadPainter(bundle, { ...options, microBatch: 8 });
  encoder = await loadCaptionEncoder(bundle, options);
  ({ read } = await promptReader(bundle));
});

afterAll(async () => {
  await painter.dispose();
  await encoder.dispose();
});

const captionsOf = (request: RenderRequest): Promise<RequestCaptions> =>
  requestCaptions(request, (text) => encoder.encode(read(text).ids));

const paint = async (request: RenderRequest): Promise<PaintedImage> =>
  painter.paint(request, await captionsOf(request));

const PROMPTS = [
  'an apple',
  'a glossy fox on a teal background',
  'two flat keys',
  'a flat lighthouse on a purple background, with a moon',
  'a cup',
  'a glossy red mushroom',
  'a group of fish on a white background',
  'a kite',
];

const requests = (count: number, size: Size, steps: number, [height, width] = [1, 1]): RenderRequest[] =>
  PROMPTS.slice(0, count).map((prompt, seed) => {
    const bin = nearestBin(size, height!, width!);
    return { prompt, negativePrompt: seed % 2 ? 'blurry' : '', size, bin, ...bin, seed, steps, guidance: 4.5 };
  });

test.each([
  [2, '256', 6, [1, 1]],
  [4, '256', 3, [3, 4]],
  [8, '256', 3, [1, 1]],
  [2, '512', 2, [1, 1]],
] as const)(
  '%i images that share calls at %s px, %i steps, each are what they are alone',
  async (count, size, steps, ratio) => {
    const asked = requests(count, size, steps, [...ratio]);
    const together = await Promise.all(asked.map((request) => paint(request)));
    for (const [i, request] of asked.entries()) {
      const alone = await paint(request);
      expect(together[i]!.microBatch).toBe(count);
      expect(alone.microBatch).toBeUndefined();
      expect(peakSignalToNoise(together[i]!.rgb, alone.rgb)).toBeGreaterThanOrEqual(LEAST_PSNR);
    }
  },
);

test('one that is cancelled and one that has no finite latents cost their neighbours nothing', async () => {
  const [first, second, third] = requests(3, '256', 4) as [RenderRequest, RenderRequest, RenderRequest];
  const stop = new AbortController();
  const onStep = (step: number): void => {
    if (step === 2) stop.abort(new Error('cancelled by the test'));
  };
  const nothing = { states: new Float32Array(192).fill(Number.NaN), tokens: 1 };
  const captions = [await captionsOf(first), await captionsOf(second)] as const;
  const [kept, cancelled, infinite] = await Promise.allSettled([
    painter.paint(first, captions[0]),
    painter.paint(second, captions[1], { signal: stop.signal, onStep }),
    painter.paint(third, { prompt: nothing, negative: nothing }),
  ]);
  expect(cancelled).toMatchObject({ status: 'rejected', reason: { message: 'cancelled by the test' } });
  expect(infinite).toMatchObject({
    status: 'rejected',
    reason: { message: expect.stringMatching(/after step 1 of 4/) },
  });
  expect(kept).toMatchObject({ status: 'fulfilled', value: { microBatch: 3 } });
  const { rgb } = (kept as PromiseFulfilledResult<PaintedImage>).value;
  expect(peakSignalToNoise(rgb, (await paint(first)).rgb)).toBeGreaterThanOrEqual(LEAST_PSNR);
});

test('as many images share a call as fill it, and none where its own captions do not', () => {
  const guided = { isGuided: true, tokens: 1_024 };
  expect(imagesInCall(guided, 4)).toBe(4);
  expect(imagesInCall(guided, 64)).toBe(8);
  expect(imagesInCall({ ...guided, isGuided: false }, 64)).toBe(16);
  expect(imagesInCall({ ...guided, tokens: 4_096 }, 64)).toBe(2);
  expect(imagesInCall({ ...guided, tokens: 16_384 }, 64)).toBe(1);
  expect(imagesInCall({ ...guided, weights: 'int8' }, 64)).toBe(1);
  expect(imagesInCall({ ...guided, halves: true }, 64)).toBe(1);
});

test('no two sizes have a bin of the same shape, whose positions would differ', () => {
  const shared = SIZES.filter(
    (size) => imagesInCall({ tokens: nearestBin(size, 1, 1).width ** 2 / 256, isGuided: true }, 8) > 1,
  );
  expect(shared).toEqual(['256', '512', '1024']);
  const shapes = shared.flatMap((size) => binsOf(size).map(({ height, width }) => `${height}×${width}`));
  expect(new Set(shapes).size).toBe(shapes.length);
});
