import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { decode } from '../../../models/pixart/decode.ts';
import { normalStream } from '../../../models/pixart/noise.ts';
import { GOLDEN } from './golden-case.ts';
import { goldenNetworks } from './golden-networks.ts';

type Golden = { seed: number; latents: [number, number, number]; stride: number; values: number[] };

const golden: Golden = JSON.parse(readFileSync(path.join(GOLDEN, 'stages/whole-decode.json'), 'utf8'));

/** A step of a byte: the picture's range is −1 to 1. */
const BYTE = 2 / 255;

async function largestDifference(isWhole: boolean): Promise<number> {
  const { vaeDecoder, bundle } = await goldenNetworks('tiny-epsilon');
  const [channels, height, width] = golden.latents;
  const data = normalStream(golden.seed)(channels * height * width);
  const image = await decode(vaeDecoder, bundle.description.vae, { data, channels, height, width }, undefined, isWhole);
  expect([image.height, image.width]).toEqual([8 * height, 8 * width]);
  const clipped = (value: number): number => Math.min(Math.max(value, -1), 1);
  return Math.max(
    ...golden.values.map((value, i) => Math.abs(clipped(image.data[i * golden.stride]!) - clipped(value))),
  );
}

test('a picture above 1024 px decoded whole is diffusers’ own to 1/255, which one of tiles is not', async () => {
  expect(await largestDifference(true)).toBeLessThanOrEqual(BYTE);
  expect(await largestDifference(false)).toBeGreaterThan(BYTE);
});
