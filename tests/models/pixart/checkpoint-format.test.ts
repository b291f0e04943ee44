import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint, PIPELINE_VERSION } from '../../../models/pixart/index.ts';

const owner = { renderKey: 'a'.repeat(64), bundleDigest: 'b'.repeat(64), steps: 20 };
const state = { step: 12, arrays: [Float32Array.of(1, -0, 3e-39), Float32Array.of(4, 5, Number.NaN)] };
const bytes = encodeCheckpoint(owner, state);

test('a state comes back bit for bit, wherever its bytes lie in memory', () => {
  expect(decodeCheckpoint(owner, bytes)).toEqual(state);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  expect(decodeCheckpoint(owner, shifted.subarray(1))).toEqual(state);
});

test('any states of any length and number of arrays come back, views into larger arrays too', () => {
  const floats = fc.float32Array({ minLength: 5, maxLength: 40 });
  fc.assert(
    fc.property(floats, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 4 }), (all, step, count) => {
      const views = Array.from({ length: count }, (_, i) => all.subarray(i, i + all.length - count + 1));
      const found = decodeCheckpoint(owner, encodeCheckpoint(owner, { step, arrays: views }));
      expect(found).toEqual({ step, arrays: views.map((view) => view.slice()) });
    }),
  );
});

/** What workers wrote that knew DPM-Solver++ only: a header without a number of arrays, latents, the image predicted last. */
function firstForm(): Buffer {
  const { renderKey, bundleDigest, steps } = owner;
  const format = 'pixart-batch checkpoint 1';
  const text = JSON.stringify({
    format,
    pipelineVersion: PIPELINE_VERSION,
    renderKey,
    bundleDigest,
    steps,
    step: 12,
    length: 3,
  });
  const header = Buffer.from(text.padEnd(Math.ceil(text.length / 4) * 4));
  const length = Buffer.from(Uint32Array.of(header.length).buffer);
  const body = Buffer.concat([length, header, ...state.arrays.map(({ buffer }) => Buffer.from(buffer))]);
  return Buffer.concat([createHash('sha256').update(body).digest(), body]);
}

test('two arrays are written as when there was one sampler only, so that older workers and these go on from each other', () => {
  expect(Buffer.compare(bytes, firstForm())).toBe(0);
  expect(decodeCheckpoint(owner, firstForm())).toEqual(state);
});

test.each([1, 3])('%i arrays are told in the header, which older workers ignore as not one of theirs', (count) => {
  const arrays = Array.from({ length: count }, () => Float32Array.of(1, 2));
  const encoded = Buffer.from(encodeCheckpoint(owner, { step: 1, arrays }));
  const header = JSON.parse(encoded.subarray(36, 36 + encoded.readUInt32LE(32)).toString());
  expect(header).toMatchObject({ arrays: count, length: 2 });
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
