import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyMissing } from '../../encryption/keyring.ts';
import { isSealed, SealBroken, seal, sealedWith, unseal } from '../../encryption/sealed.ts';
import { keyring, lineOf } from './keys.ts';

const [older, newer] = [lineOf('older'), lineOf('newer')];
const ring = keyring(newer, older);
const anyBytes = fc.uint8Array({ maxLength: 5_000 });

test('sealed bytes unseal unchanged, and name their key', () => {
  fc.assert(
    fc.property(anyBytes, fc.string(), (bytes, context) => {
      const sealed = seal(ring, bytes, context);
      expect(unseal(ring, sealed, context)).toEqual(Buffer.from(bytes));
      expect([isSealed(sealed), sealedWith(sealed)]).toEqual([true, ring.current.id]);
    }),
  );
});

test('the result contains nothing of the original, and the same bytes never give the same result', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 500 }), (bytes) => {
      const sealed = seal(ring, bytes, 'a');
      expect(sealed.includes(Buffer.from(bytes))).toBe(false);
      expect(sealed.equals(seal(ring, bytes, 'a'))).toBe(false);
    }),
  );
});

test('a key that is no longer the current one still unseals', () => {
  const sealed = seal(keyring(older), Buffer.from('fox'), 'a');
  expect(unseal(ring, sealed, 'a').toString()).toBe('fox');
});

test('one changed bit, wherever it is, is refused', () => {
  fc.assert(
    fc.property(anyBytes, fc.nat(), fc.integer({ min: 0, max: 7 }), (bytes, at, bit) => {
      const sealed = seal(ring, bytes, 'a');
      sealed[at % sealed.length]! ^= 1 << bit;
      expect(() => unseal(ring, sealed, 'a')).toThrow(/expected .*encrypt/);
    }),
  );
});

test('truncated bytes are refused', () => {
  const sealed = seal(ring, Buffer.from('a fox in the snow'), 'a');
  for (let length = 0; length < sealed.length; length++) {
    expect(() => unseal(ring, sealed.subarray(0, length), 'a')).toThrow(SealBroken);
  }
});

test('bytes sealed for another context are refused', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (one, other) => {
      fc.pre(Buffer.from(one).compare(Buffer.from(other)) !== 0);
      expect(() => unseal(ring, seal(ring, Buffer.from('fox'), one), other)).toThrow(SealBroken);
    }),
  );
});

test('without its key, the message names the key, the available ones, and what to do', () => {
  const sealed = seal(keyring(lineOf('2026-10')), Buffer.from('fox'), 'a');
  expect(() => unseal(ring, sealed, 'a')).toThrow(KeyMissing);
  expect(() => unseal(ring, sealed, 'a')).toThrow(
    /^expected encryption key "2026-10\.[0-9a-f]{8}", found only newer\.[0-9a-f]{8}, older\.[0-9a-f]{8}\. Give this process that key .*PIXART_ENCRYPTION_KEY_FILE/,
  );
});

test('another key with the same name is not mistaken for the right one', () => {
  const sealed = seal(keyring(lineOf('older')), Buffer.from('fox'), 'a');
  expect(() => unseal(ring, sealed, 'a')).toThrow(KeyMissing);
});

test('bytes that were never sealed are not mistaken for sealed ones', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      fc.pre(bytes[0] !== 0x8f);
      expect(isSealed(bytes)).toBe(false);
      expect(() => unseal(ring, bytes, 'a')).toThrow(SealBroken);
    }),
  );
});
