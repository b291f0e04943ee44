import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from '../../domain/digest.ts';
import { DigestSet } from '../../domain/digest-set.ts';

test('a set of digests numbers each, and repeated ones get the same number', () => {
  const set = new DigestSet();
  const digests = Array.from({ length: 5_000 }, (_, index) => sha256(String(index)));
  for (const [index, digest] of digests.entries()) expect(set.add(digest)).toBe(index);
  for (const [index, digest] of digests.entries()) expect(set.add(digest)).toBe(index);
  expect(set.size).toBe(digests.length);
  expect(digests.map((_, index) => set.at(index))).toEqual(digests);
  expect(set.indexOf(sha256('another'))).toBe(-1);
});

test('digests with common parts are distinguished', () => {
  const parts = fc.constantFrom('00000000', '00000001', 'ffffffff');
  const alike = fc.array(fc.array(parts, { minLength: 8, maxLength: 8 }).map((words) => words.join('')));
  fc.assert(
    fc.property(alike, (digests) => {
      const set = new DigestSet();
      for (const digest of digests) set.add(digest);
      expect(Array.from({ length: set.size }, (_, index) => set.at(index))).toEqual([...new Set(digests)]);
      expect(digests.map((digest) => set.at(set.indexOf(digest)))).toEqual(digests);
    }),
  );
});
