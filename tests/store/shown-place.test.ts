import { expect, test } from 'vitest';
import { readUrl, shownPlace, storeUrl } from '../../store/index.ts';

test('a message names a folder by its path as written, and any other place by its URL', () => {
  const path = '/srv/größe 100%/a#b.csv';
  expect(shownPlace(storeUrl(path))).toBe(path);
  expect(['gs://bucket/a b', 'file:///a%2Fb.csv'].map(shownPlace)).toEqual(['gs://bucket/a b', 'file:///a%2Fb.csv']);
});

test('a missing catalog is named by its path', async () => {
  await expect(readUrl(storeUrl('/nonexistent/a b.csv'))).rejects.toThrow(
    'catalog: expected a file at /nonexistent/a b.csv, found none',
  );
});

test('an address with a password or a signature is refused without them', async () => {
  for (const url of [
    'https://me:hunter2-secret@example.org/a.csv',
    'https://example.org/a.csv?X-Goog-Signature=hunter2-secret',
  ]) {
    const refused = expect(readUrl(url)).rejects;
    await refused.toThrow(/^catalog: expected a path, .* found https:\/\/.*example\.org\/a\.csv/);
    await refused.not.toThrow('hunter2');
  }
});
