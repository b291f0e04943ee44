import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type CaptionOwner,
  captionKey,
  decodeCaption,
  encodeCaption,
  largestCaption,
} from '../../../models/pixart/caption-format.ts';

const ENCODER = 'ab'.repeat(32);
const owner = (tokens: number, width: number): CaptionOwner => ({ key: captionKey(ENCODER, [tokens]), tokens, width });

const anyCaption = fc
  .record({ tokens: fc.integer({ min: 1, max: 9 }), width: fc.integer({ min: 1, max: 12 }) })
  .chain(({ tokens, width }) =>
    fc
      .float32Array({
        ...{ minLength: tokens * width, maxLength: tokens * width, noNaN: true, noDefaultInfinity: true },
      })
      .map((states) => ({ owner: owner(tokens, width), caption: { states, tokens } })),
  );

test('a caption comes back to its last bit, whatever its finite numbers are', () => {
  fc.assert(
    fc.property(anyCaption, ({ owner, caption }) => {
      const bytes = encodeCaption(owner, caption);
      const found = decodeCaption(owner, bytes);
      expect(found).toMatchObject({ tokens: caption.tokens });
      const { states } = found as typeof caption;
      expect(Buffer.from(states.buffer)).toEqual(Buffer.from(caption.states.buffer));
      expect(bytes.length).toBeLessThanOrEqual(largestCaption(owner));
    }),
  );
});

test('bytes of which one is changed, missing or added are refused', () => {
  fc.assert(
    fc.property(anyCaption, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ owner, caption }, place, change) => {
      const bytes = encodeCaption(owner, caption);
      const changed = Uint8Array.from(bytes);
      changed[place % bytes.length]! ^= change;
      expect(decodeCaption(owner, changed)).toBeTypeOf('string');
      expect(decodeCaption(owner, bytes.slice(0, place % bytes.length))).toBeTypeOf('string');
      expect(decodeCaption(owner, Buffer.concat([bytes, Buffer.of(change)]))).toBeTypeOf('string');
    }),
  );
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])('a caption with %s in it is refused', (value) => {
  const states = Float32Array.of(1, 2, value, 4);
  expect(decodeCaption(owner(2, 2), encodeCaption(owner(2, 2), { states, tokens: 2 }))).toMatch(/not all finite/);
});

test('a whole caption of other tokens is refused, with what was expected', () => {
  const bytes = encodeCaption(owner(2, 3), { states: new Float32Array(6), tokens: 2 });
  const other = { ...owner(2, 3), key: captionKey(ENCODER, [7]) };
  expect(decodeCaption(other, bytes)).toMatch(/^expected key [0-9a-f]{64}, found [0-9a-f]{64}$/);
  expect(decodeCaption(owner(3, 2), bytes)).toMatch(/^expected key/);
  expect(decodeCaption({ ...owner(2, 3), width: 2 }, bytes)).toBe('expected width 2, found 3');
});

test('what is far too long is refused by its length', () => {
  expect(decodeCaption(owner(1, 1), new Uint8Array(2_000))).toMatch(/^expected at most 1028 bytes/);
});

test('a key tells tokens, their order and encoders apart', () => {
  const keys = [
    captionKey(ENCODER, [1, 2, 3]),
    captionKey(ENCODER, [1, 23]),
    captionKey(ENCODER, [3, 2, 1]),
    captionKey('cd'.repeat(32), [1, 2, 3]),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(captionKey(ENCODER, [1, 2, 3])).toBe(keys[0]);
});
