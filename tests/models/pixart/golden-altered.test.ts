import { beforeAll, describe, expect, test } from 'vitest';
import type { Caption } from '../../../models/pixart/captions.ts';
import { loadPipeline, type Pipeline, type RenderRequest } from '../../../models/pixart/index.ts';
import { Tensor } from '../../../models/pixart/onnxruntime.ts';
import { positionEmbedding } from '../../../models/pixart/position-embedding.ts';
import { toBytes } from '../../../models/pixart/resize-crop.ts';
import { byteDifference, loadCase, relativeError } from './golden-case.ts';
import { captionsOf, decodeCase, denoiseCase, goldenNetworks, type Networks, positionsOf } from './golden-networks.ts';

/** The same bounds as in golden.test.ts: an image outside them fails there. */
const isGolden = ({ max, mean }: { max: number; mean: number }): boolean => max <= 1 && mean <= 0.05;

const NAMES = [
  'epsilon-odd-grid',
  'velocity-odd-grid',
  'compressed-odd-grid',
  'euler-odd-grid',
  'lcm-odd-grid',
  'alpha-wide',
];

test('a value that is not a number fails every comparison', () => {
  const [good, bad] = [Float32Array.of(1, 2), Float32Array.of(Number.NaN, 2)];
  for (const [found, expected] of [
    [bad, good],
    [good, bad],
    [bad, bad],
  ] as const) {
    expect(relativeError(found, expected)).toBeNaN();
  }
  expect(() => expect(Number.NaN).toBeLessThanOrEqual(1)).toThrow();
});

describe.each(NAMES)('%s', (name) => {
  const golden = loadCase(name);
  const bin = { height: golden.sampledHeight, width: golden.sampledWidth };
  let networks: Networks;
  let pipeline: Pipeline;
  let captions: { prompt: Caption; negative: Caption | null };
  let positions: Tensor;

  beforeAll(async () => {
    networks = await goldenNetworks(golden.bundle);
    pipeline = await loadPipeline(networks.bundle, { device: 'cpu', threads: 1 });
    captions = await captionsOf(networks, golden);
    positions = positionsOf(networks, golden);
  });

  async function rendersGolden(change: Partial<RenderRequest>): Promise<boolean> {
    const { rgb } = await pipeline.render({ ...golden, bin, ...change });
    return isGolden(byteDifference(rgb, golden.image));
  }

  async function samplesGolden(change: Partial<typeof captions & { positions: Tensor }>): Promise<boolean> {
    const latents = await denoiseCase(networks, golden, { ...captions, positions, ...change });
    const rgb = toBytes(await decodeCase(networks, golden, latents.at(-1)!));
    return isGolden(byteDifference(rgb, golden.image));
  }

  test('nothing altered passes', async () => {
    expect(await rendersGolden({})).toBe(true);
    expect(await samplesGolden({})).toBe(true);
  });

  test.each([
    ['a seed one lower', { seed: golden.seed - 1 }],
    ['one step less', { steps: golden.steps - 1 }],
    ['one step more', { steps: golden.steps + 1 }],
    ['another negative prompt', { negativePrompt: 'grey' }],
    ['guidance turned off', { guidance: 1 }],
  ])('%s fails the comparison', async (_, change) => {
    expect(await rendersGolden(change)).toBe(false);
  });

  test('a mask that lets padding through fails the comparison', async () => {
    const { prompt, negative } = captions;
    const tokens = Math.max(prompt.tokens, negative!.tokens);
    const unmasked = (caption: Caption): Caption => {
      const states = new Float32Array((caption.states.length / caption.tokens) * tokens);
      states.set(caption.states);
      return { ...caption, states, tokens };
    };
    expect(await samplesGolden({ prompt: unmasked(prompt), negative: unmasked(negative!) })).toBe(false);
  });

  test('the positions of another size fail the comparison', async () => {
    const { patch, heads, headWidth } = networks.bundle.description.transformer;
    const [rows, columns] = [bin.height / 8 / patch, bin.width / 8 / patch];
    const scale = { baseSize: 64 / patch, interpolationScale: 0.5 };
    const other = positionEmbedding(rows, columns, heads * headWidth, scale);
    expect(await samplesGolden({ positions: new Tensor('float32', other, positions.dims) })).toBe(false);
  });
});
