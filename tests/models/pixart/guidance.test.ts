import { expect, test } from 'vitest';
import { sharesCall } from '../../../models/pixart/guidance.ts';
import { nextRung } from '../../../models/pixart/ladder.ts';
import { knownPainterMemory, painterMemory } from '../../../models/pixart/memory.ts';
import type { Networks } from '../../../models/pixart/networks.ts';

test('negative prompt and prompt share a call up to 1024 px, unless memory is short', () => {
  expect(sharesCall({ tokens: 4096 })).toBe(true);
  expect(sharesCall({ tokens: 4096, weights: 'fp16' })).toBe(true);
  expect(sharesCall({ tokens: 4097 })).toBe(false);
  expect(sharesCall({ tokens: 256, halves: true })).toBe(false);
});

test('in int8 they never do, so that memory does not change a picture', () => {
  expect(sharesCall({ tokens: 256, weights: 'int8' })).toBe(false);
  const picture = { height: 32, width: 32, tokens: 256, isGuided: true, isWhole: false };
  expect(nextRung(picture, {}, 'denoise')).toEqual({ halves: true });
  expect(nextRung({ ...picture, weights: 'int8' }, {}, 'denoise')).toBeNull();
});

test('a decoder that does not tell its channels leaves a bound from below', () => {
  const networks: Networks = {
    ...{
      encoderWeights: 1e7,
      painterWeights: 4e7,
      transformerWidth: 192,
      heads: 6,
      patch: 2,
      factor: 8,
      maxTokens: 120,
    },
    decoderChannels: null,
  };
  const shape = { bin: { height: 512, width: 512 } };
  expect(painterMemory(networks, shape)).toBeNull();
  const known = knownPainterMemory(networks, [shape]);
  expect(known.total).toBeGreaterThan(networks.painterWeights + known.base);
  expect(known.total).toBeLessThan(painterMemory({ ...networks, decoderChannels: 16 }, shape)!.total);
});
