import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../../../models/pixart/index.ts';

const owner = { renderKey: 'a'.repeat(64), bundleDigest: 'b'.repeat(64), steps: 20 };
const state = { step: 12, latents: Float32Array.of(1, -0, 3e-39), previousImage: Float32Array.of(4, 5, Number.NaN) };
const bytes = encodeCheckpoint(owner, state);

test('a state comes back bit for bit, wherever its bytes lie in memory', () => {
  expect(decodeCheckpoint(owner, bytes)).toEqual(state);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  expect(decodeCheckpoint(owner, shifted.subarray(1))).toEqual(state);
});

test('any states of any length come back, views into larger arrays too', () => {
  const floats = fc.float32Array({ minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(floats, fc.integer({ min: 1, max: 20 }), (all, step) => {
      const found = decodeCheckpoint(
        owner,
        encodeCheckpoint(owner, { step, latents: all.subarray(1), previousImage: all.subarray(0, -1) }),
      );
      expect(found).toEqual({ step, latents: all.slice(1), previousImage: all.slice(0, -1) });
    }),
  );
});

test('one changed byte anywhere, or bytes missing at the end, is seen', () => {
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= change;
      expect(decodeCheckpoint(owner, damaged)).toBeTypeOf('string');
      expect(decodeCheckpoint(owner, bytes.subarray(0, at))).toBeTypeOf('string');
    }),
  );
});

test.each([
  ['another picture', { renderKey: 'c'.repeat(64) }, /expected renderKey c+, found a+/],
  ['another bundle', { bundleDigest: 'c'.repeat(64) }, /expected bundleDigest c+, found b+/],
  ['another number of steps', { steps: 30 }, /expected steps 30, found 20/],
])('the state of %s is refused, and the reason names what differs', (_, other, reason) => {
  expect(decodeCheckpoint({ ...owner, ...other }, bytes)).toMatch(reason);
});

test('a step beyond the last one is refused', () => {
  expect(decodeCheckpoint(owner, encodeCheckpoint(owner, { ...state, step: 21 }))).toMatch(/do not fit/);
});
