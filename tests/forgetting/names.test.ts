import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kindInBatch } from '../../forgetting/kinds.ts';
import { batchOf, captionEncoder, captionName, damagedName, undamagedName } from '../../records/layout.ts';

test.each([
  ['fox.png', 'copies'],
  ['round-2/fox.webp', 'copies'],
  ['manifest-of-foxes.png', 'copies'],
  ['_plan/1-00000.jsonl', 'records'],
  ['_rounds/1.json', 'records'],
  ['manifest.csv', 'records'],
  ['manifest-1-2.jsonl', 'records'],
  ['changes.csv', 'records'],
  ['_sheet/rows-0123.js', 'sheets'],
  ['contact-sheet-2.html', 'sheets'],
  ['_catalog/terms/colours.txt', 'catalogs'],
  ['.DS_Store', 'other files'],
  ['notes/fox.txt', 'other files'],
])('%s in a batch’s folder is one of its %s', (name, kind) => {
  expect(kindInBatch('spring', `batches/spring/${name}`)).toBe(kind);
});

const id = fc.stringMatching(/^[a-z0-9_-][a-z0-9._-]{0,20}$/);
const version = fc.stringMatching(/^[0-9]{1,8}(-[0-9]{1,8}){0,2}$/);

test('a damaged file’s name tells what it was', () => {
  fc.assert(
    fc.property(id, version, fc.constantFrom('png', 'jpg', 'webp', 'avif'), (name, of, ending) => {
      for (const folder of ['objects/', 'batches/spring/', 'batches/spring/round-2/']) {
        const before = `${folder}${name}.${ending}`;
        expect(undamagedName(damagedName(before, of))).toBe(before);
      }
    }),
  );
  expect(undamagedName('objects/fox.png')).toBeNull();
});

test('what others put beside batches belongs to none', () => {
  expect(batchOf('batches/spring/fox.png')).toBe('spring');
  for (const name of ['batches/.DS_Store', 'batches/notes.txt', 'objects/spring/fox.png', 'batches/']) {
    expect(batchOf(name)).toBeNull();
  }
});

test('a caption’s name tells its encoder', () => {
  const [encoder, key] = ['ab'.repeat(32), 'cd'.repeat(32)];
  expect(captionEncoder(captionName(encoder, key))).toBe(encoder);
  expect(captionEncoder('captions/readme.txt')).toBeNull();
});
