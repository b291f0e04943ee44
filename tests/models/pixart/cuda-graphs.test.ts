import { rm } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import type { Bundle } from '../../../models/pixart/bundle.ts';
import { captionSpans } from '../../../models/pixart/caption-inputs.ts';
import { decodeToBytes, planesOf } from '../../../models/pixart/decode-bytes.ts';
import { denoise } from '../../../models/pixart/denoise.ts';
import { normalStream } from '../../../models/pixart/noise.ts';
import { Tensor } from '../../../models/pixart/onnxruntime.ts';
import { bytesGraph, transformerGraph } from '../../../models/pixart/painter-graphs.ts';
import { positionEmbedding, positionTables } from '../../../models/pixart/position-embedding.ts';
import { toBytes } from '../../../models/pixart/resize-crop.ts';
import { createSampler } from '../../../models/pixart/samplers/create-sampler.ts';
import { type Graph, openGraph } from '../../../models/pixart/session.ts';
import { StepBatcher, type StepPlace } from '../../../models/pixart/step-batcher.ts';
import { type GoldenCase, loadCase } from './golden-case.ts';
import { goldenWithCuda } from './golden-cuda.ts';
import { captionsOf, goldenNetworks } from './golden-networks.ts';

const FILE = 'transformer.cuda.onnx';
const CUDA = { transformer: { error: 1e-3, psnr: 70 } };

let bundle: Bundle;
let transformer: Graph;

beforeAll(async () => {
  bundle = await goldenWithCuda(FILE, CUDA);
  transformer = await openGraph(bundle, FILE, { device: 'cpu', threads: 1 });
});

afterAll(async () => {
  await transformer.release();
  await rm(bundle.folder, { recursive: true });
});

test('a device runs the graphs that were made for it, where there are any', () => {
  const { description } = bundle;
  expect(transformerGraph(description, 'cuda:0').file).toBe(FILE);
  expect(transformerGraph(description, 'cpu').file).toBe('transformer.onnx');
  expect(transformerGraph({ cuda: undefined }, 'cuda:0').file).toBe('transformer.onnx');
  expect(bytesGraph(description, 'cuda:0')).toBeNull();
  expect(bytesGraph({ cuda: { vae: CUDA.transformer } }, 'cuda:1')).toBe('vae_decoder.cuda.onnx');
  expect(bytesGraph({ cuda: { vae: CUDA.transformer } }, 'cpu')).toBeNull();
});

test('a token has the positions of its row and its column, added', () => {
  const sides = fc.integer({ min: 1, max: 9 });
  const scales = fc.record({
    baseSize: fc.integer({ min: 1, max: 64 }),
    interpolationScale: fc.constantFrom(0.5, 1, 2),
  });
  fc.assert(
    fc.property(sides, sides, scales, (rows, columns, scale) => {
      const width = 8;
      const tables = positionTables(rows, columns, width, scale);
      const added = positionEmbedding(rows, columns, width, scale).map((_, i) => {
        const [token, channel] = [Math.floor(i / width), i % width];
        const [row, column] = [Math.floor(token / columns), token % columns];
        return tables.rows[row * width + channel]! + tables.columns[column * width + channel]!;
      });
      expect(added).toEqual(positionEmbedding(rows, columns, width, scale));
    }),
  );
});

test('spans say how long captions are, and where the queries of each image and the keys of each caption begin', () => {
  const captions = [3, 1].map((tokens) => ({ states: new Float32Array(2 * tokens).fill(1), tokens }));
  const { caption, caption_spans } = captionSpans(captions, 16);
  expect(caption.dims).toEqual([2, 3, 2]);
  expect([...(caption.data as Float32Array)]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
  expect([...(caption_spans.data as Int32Array)]).toEqual([3, 1, 0, 16, 32, 0, 3, 6]);
});

/** Denoises a case as a painter does on a card, and keeps the latents after every step. */
async function denoiseOnCuda(place: StepPlace, golden: GoldenCase): Promise<Float32Array[]> {
  const { description } = bundle;
  const { patch, heads, headWidth } = description.transformer;
  const [, channels, height, width] = golden.tensor('noise').shape as [number, number, number, number];
  const { sampleSize, interpolationScale } = description.sizes[golden.size]!;
  const grid = { rows: height / patch, columns: width / patch };
  const { positions } = transformerGraph(description, 'cuda:0');
  const inputs = {
    ...{ channels, height, width, tokens: grid.rows * grid.columns, guidance: golden.guidance },
    positions: positions(grid, heads * headWidth, { baseSize: sampleSize / patch, interpolationScale }),
    ...(await captionsOf(await goldenNetworks(golden.bundle), golden)),
  };
  const draw = normalStream(golden.seed);
  const sampler = createSampler(description.scheduler, golden.steps, () => draw(channels * height * width));
  const kept: Float32Array[] = [];
  await denoise(place, sampler, inputs, { onStep: () => kept.push(sampler.latents) }).finally(() => place.leave());
  return kept;
}

/** The ratio of the range of what is expected to the noise in what was found, in dB. */
function psnr(found: Float32Array, expected: Float32Array): number {
  const noise = found.reduce((sum, value, i) => sum + (value - expected[i]!) ** 2, 0) / found.length;
  return 20 * Math.log10((Math.max(...expected) - Math.min(...expected)) / Math.sqrt(noise));
}

describe('denoising on the graph for CUDA', () => {
  const golden = loadCase('epsilon-defaults');

  test('follows the reference at every step, within what float16 holds', async () => {
    const { join } = transformerGraph(bundle.description, 'cuda:0');
    const place = new StepBatcher(transformer, join).enter({ name: 'alone', most: 1 });
    const found = await denoiseOnCuda(place, golden);
    const expected = golden.tensor('latents').data;
    found.forEach((latents, step) => {
      expect(psnr(latents, expected.subarray(step * latents.length, (step + 1) * latents.length))).toBeGreaterThan(50);
    });
    expect(found).toHaveLength(golden.steps);
  });

  test('images that share calls are those that had them to themselves', async () => {
    const { join } = transformerGraph(bundle.description, 'cuda:0');
    const other = { ...golden, seed: golden.seed + 1, prompt: 'a dog', negativePrompt: 'two words and more' };
    const batcher = new StepBatcher(transformer, join);
    const shared = await Promise.all(
      [golden, other].map((each) => denoiseOnCuda(batcher.enter({ name: 'shared', most: 2 }), each)),
    );
    for (const [i, each] of [golden, other].entries()) {
      const alone = await denoiseOnCuda(new StepBatcher(transformer, join).enter({ name: 'alone', most: 1 }), each);
      expect(psnr(shared[i]!.at(-1)!, alone.at(-1)!)).toBeGreaterThan(50);
    }
  });
});

describe('decodeToBytes', () => {
  const vae = { factor: 2, scaling: 0.5, shift: 0, norms: 3, groups: 4 } as const;
  const latents = { data: Float32Array.of(1, 2), channels: 1, height: 1, width: 2 };
  const decoderOf = (bytes: number[], level: number) => ({
    given: [] as number[],
    async run({ latents }: Record<string, Tensor>) {
      this.given.push(...(latents!.data as Float32Array));
      return {
        image: new Tensor('uint8', Uint8Array.from(bytes), [bytes.length]),
        level: new Tensor('float32', Float32Array.of(level), [1]),
      };
    },
  });
  const picture = Array.from({ length: 24 }, (_, i) => i * 10);

  test('gives the bytes of scaled latents', async () => {
    const decoder = decoderOf(picture, 0.1);
    const found = await decodeToBytes(decoder, vae, latents, undefined);
    expect(found).toEqual({ data: Uint8Array.from(picture), width: 4, height: 2 });
    expect(decoder.given).toEqual([2, 4]);
  });

  test('numbers that overflowed are an error, though their bytes look like any others', async () => {
    const decoding = decodeToBytes(decoderOf(picture, Number.NaN), vae, latents, undefined);
    await expect(decoding).rejects.toThrow(/mean of the pixels of the decoder: expected finite numbers, found NaN/);
  });

  test('a graph of another factor is refused', async () => {
    const decoding = decodeToBytes(decoderOf(picture.slice(3), 0), vae, latents, undefined);
    await expect(decoding).rejects.toThrow(UserError);
    await expect(decoding).rejects.toThrow(/vae_decoder\.cuda\.onnx makes 7 pixels of 2×1 latents, not 4×2/);
  });

  test('stops where it was asked to', async () => {
    const decoder = decoderOf(picture, 0);
    await expect(decodeToBytes(decoder, vae, latents, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
    expect(decoder.given).toEqual([]);
  });

  test('bytes as planes are the same bytes again', () => {
    const data = Uint8Array.from({ length: 3 * 256 }, (_, i) => i % 256);
    expect(toBytes(planesOf({ data, width: 16, height: 16 }))).toEqual(data);
  });
});
