import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { decode } from '../../../models/pixart/decode.ts';
import { loadPipeline } from '../../../models/pixart/index.ts';
import { normalStream } from '../../../models/pixart/noise.ts';
import { request } from '../renderer/tiny-renderer.ts';
import { byteDifference, GOLDEN } from './golden-case.ts';
import { goldenNetworks } from './golden-networks.ts';

type Golden = { seed: number; latents: [number, number, number]; stride: number; values: number[] };

const golden: Golden = JSON.parse(readFileSync(path.join(GOLDEN, 'stages/whole-decode.json'), 'utf8'));

/** A step of a byte: the picture's range is −1 to 1. */
const BYTE = 2 / 255;

test('a picture above 1024 px decoded whole is diffusers’ own to 1/255', async () => {
  const { vaeDecoder, bundle } = await goldenNetworks('tiny-epsilon');
  const [channels, height, width] = golden.latents;
  const data = normalStream(golden.seed)(channels * height * width);
  const image = await decode(vaeDecoder, bundle.description.vae, { data, channels, height, width }, undefined, {
    isWhole: true,
  });
  expect([image.height, image.width]).toEqual([8 * height, 8 * width]);
  const differences = golden.values.map((value, i) => Math.abs(image.data[i * golden.stride]! - value));
  expect(Math.max(...differences)).toBeLessThanOrEqual(BYTE);
});

test('a render decodes whole where it is asked to, which makes another picture than tiles', async () => {
  const { bundle } = await goldenNetworks('tiny-epsilon');
  const pipeline = await loadPipeline(bundle, { device: 'cpu', threads: 1 });
  const large = { bin: { height: 1152, width: 1024 }, height: 1152, width: 1024, steps: 1, guidance: 1 };
  const tiled = await pipeline.render(request(large));
  const whole = await pipeline.render(request({ ...large, decode: 'whole' }));
  await pipeline.dispose();
  expect(byteDifference(whole.rgb, tiled.rgb).max).toBeGreaterThan(1);
});
