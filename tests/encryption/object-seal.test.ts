import fc from 'fast-check';
import { expect, test } from 'vitest';
import { objectSeal, PLAIN_OBJECTS } from '../../encryption/object-seal.ts';
import { keyring, lineOf } from './keys.ts';

const [older, newer] = [lineOf('older'), lineOf('newer')];
const sealing = objectSeal(keyring(newer, older), true);
const digest = 'ab'.repeat(32);

test('an object sealed under a name opens only under that name; unsealed bytes open unchanged', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const closed = sealing.close(bytes, 'captions/a');
      expect(sealing.open(closed, 'captions/a')).toEqual(Buffer.from(bytes));
      expect(sealing.open(closed, 'captions/b')).toMatch(/they were changed/);
      fc.pre(bytes[0] !== 0x8f);
      expect(sealing.open(bytes, 'captions/a')).toBe(bytes);
      expect(PLAIN_OBJECTS.close(bytes, 'captions/a')).toBe(bytes);
    }),
  );
});

test('a process with the keys opens what others sealed even if it does not seal; one without names the missing key', () => {
  const closed = sealing.close(Buffer.from('fox'), 'a');
  expect(objectSeal(keyring(older, newer), false).open(closed, 'a')).toEqual(Buffer.from('fox'));
  expect(objectSeal(keyring(older), true).open(closed, 'a')).toMatch(
    /expected encryption key "newer\S*", found only older/,
  );
  expect(PLAIN_OBJECTS.open(closed, 'a')).toMatch(/expected encryption key "newer\S*", found no key/);
});

test('the keyed digest comes first when sealing, the plain one otherwise; each finds what the other wrote', () => {
  const [first, ...others] = sealing.digests(digest);
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(first).not.toBe(digest);
  expect(others.at(-1)).toBe(digest);
  const before = objectSeal(keyring(older, newer), true).digests(digest);
  expect(others).toContain(before[0]);
  const reading = objectSeal(keyring(newer, older), false).digests(digest);
  expect(reading[0]).toBe(digest);
  expect(reading.toSorted()).toEqual([first, ...others].toSorted());
  expect(PLAIN_OBJECTS.digests(digest)).toEqual([digest]);
});

test('sealing without a key is refused, with the variables to set', () => {
  expect(() => objectSeal(null, true)).toThrow(/expected encryption keys, found none. Set PIXART_ENCRYPTION_KEY_FILE/);
});
