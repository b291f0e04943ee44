import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mersenneTwister, normalStream, randomNormal } from '../../../models/pixart/noise.ts';
import { GOLDEN } from './golden-case.ts';

type Draw = { seed: number; count: number; offset: number };

describe('randomNormal', () => {
  const draws: Draw[] = JSON.parse(readFileSync(path.join(GOLDEN, 'stages/noise.json'), 'utf8'));
  const bytes = readFileSync(path.join(GOLDEN, 'stages/noise.bin'));

  test.each(draws)('equals torch within 1e-6: seed $seed, $count numbers', ({ seed, count, offset }) => {
    randomNormal(count, seed).forEach((value, i) => {
      expect(Math.abs(value - bytes.readFloatLE(offset + 4 * i))).toBeLessThanOrEqual(1e-6);
    });
  });

  test('draws the number of values asked for, all finite', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 0xffff_ffff }), (count, seed) => {
        const numbers = randomNormal(count, seed);
        return numbers.length === count && numbers.every(Number.isFinite);
      }),
    );
  });

  test('gives two seeds two noises', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_fffe }), (seed) => {
        expect(randomNormal(32, seed)).not.toEqual(randomNormal(32, seed + 1));
      }),
    );
  });
});

describe('normalStream', () => {
  const streams: { seed: number; counts: number[] }[] = JSON.parse(
    readFileSync(path.join(GOLDEN, 'stages/noise-streams.json'), 'utf8'),
  );
  const bytes = readFileSync(path.join(GOLDEN, 'stages/noise-streams.bin'));

  test('draws what torch draws from one generator, one draw after another, whatever their lengths', () => {
    let offset = 0;
    for (const { seed, counts } of streams) {
      const draw = normalStream(seed);
      for (const count of counts) {
        for (const value of draw(count)) {
          expect(Math.abs(value - bytes.readFloatLE(offset))).toBeLessThanOrEqual(1e-6);
          offset += 4;
        }
      }
    }
    expect(offset).toBe(bytes.length);
  });
});

test('mersenneTwister gives the ten-thousandth number that the C++ standard prescribes for seed 5489', () => {
  const next = mersenneTwister(5489);
  for (let i = 1; i < 10_000; i++) next();
  expect(next()).toBe(4_123_659_995);
});
