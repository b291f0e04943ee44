import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kindFinder } from '../../forgetting/kind-finder.ts';
import { kindInBatch } from '../../forgetting/kinds.ts';
import {
  auditName,
  batchOf,
  captionEncoder,
  captionName,
  damagedName,
  LIMITS_NAME,
  undamagedName,
  usageName,
} from '../../records/layout.ts';

test.each([
  ['fox.png', 'copies'],
  ['round-2/fox.webp', 'copies'],
  ['Tiere/Füchse/fox-7.png', 'copies'],
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

test('a damaged file’s name shows what it was', () => {
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

test('files that others put beside batches belong to none', () => {
  expect(batchOf('batches/spring/fox.png')).toBe('spring');
  for (const name of ['batches/.DS_Store', 'batches/notes.txt', 'objects/spring/fox.png', 'batches/']) {
    expect(batchOf(name)).toBeNull();
  }
});

test('limits, their usage, audit lines and other batches’ files stay, whatever is forgotten', () => {
  const pictures = new Map([['ab'.repeat(32), `objects/${'ab'.repeat(32)}.png`]]);
  const rows = [
    {
      batch: 'spring',
      ids: new Set(['fox']),
      copies: new Set(['fox.png']),
      others: 0,
      pictures,
      texts: new Set(['a fox']),
    },
  ];
  const others = { neededBy: new Map(), texts: new Set<string>(), samePrompt: new Map() };
  const fateOf = kindFinder({ rows, others, catalogs: new Set(), captions: new Set() });
  for (const name of [
    LIMITS_NAME,
    usageName('2026-01-01', 1),
    auditName(new Date(0), '9f86d081', 'asked'),
    'batches/spring-2/fox.png',
    'batches/sprin/fox.png',
    'damaged/batches/spring-2/fox.12-3-4.png',
    'batches/spring/_removing.json',
  ]) {
    expect([name, fateOf(name)]).toEqual([name, null]);
  }
  expect(fateOf('batches/spring/fox.png')).toBe('copies');
  expect(fateOf('damaged/batches/spring/fox.12-3-4.png')).toBe('damaged files');
});

test('a caption’s name contains its encoder', () => {
  const [encoder, key] = ['ab'.repeat(32), 'cd'.repeat(32)];
  expect(captionEncoder(captionName(encoder, key))).toBe(encoder);
  expect(captionEncoder('captions/readme.txt')).toBeNull();
});
