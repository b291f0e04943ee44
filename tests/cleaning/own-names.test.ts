import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchPartOf, copyIn, isOwn, type LooseKind } from '../../cleaning/own-names.ts';
import { CATALOG_FORMATS } from '../../domain/catalog-settings.ts';
import { extension, IMAGE_FORMATS } from '../../domain/image-format.ts';
import {
  againName,
  captionName,
  catalogName,
  changesName,
  checkpointName,
  contactSheetName,
  contactSheetPageName,
  copyName,
  damagedName,
  manifestName,
  messagePictureName,
  objectName,
  removalName,
  revisionName,
  roundCopyName,
  roundManifestName,
  roundName,
  shardName,
  shardReceiptsName,
  sheetFolder,
  termsName,
} from '../../records/layout.ts';
import { besideName } from '../../store/index.ts';

const digest = fc.stringMatching(/^[0-9a-f]{64}$/);
const batch = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const id = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}$/),
  fc.stringMatching(/^[a-zäß苹果ع][a-z0-9äß苹果ع-]{0,9}(\/[a-zäß苹果ع][a-z0-9äß苹果ع-]{0,9}){0,2}$/),
);
const number = fc.integer({ min: 1, max: 12 });
const format = fc.constantFrom(...IMAGE_FORMATS);
const text = fc.constantFrom(...CATALOG_FORMATS);
const version = fc.constantFrom('1764518400123456', '12345-1764518400123456789-2048');

/** Everything that a batch has under names of the layout. */
const ofBatch: fc.Arbitrary<{ batch: string; name: string; part: string }> = fc
  .record({ batch, id, digest, number, format, text, round: number, beside: number })
  .chain(({ batch, id, digest, number, format, text, round, beside }) =>
    fc.constantFrom(
      ...[
        ...(['json', 'csv'] as const).map((kind) => ['other', roundManifestName(batch, round, number, kind)]),
        ['table', roundManifestName(batch, round, number, 'jsonl')],
        ['table', manifestName(batch, 'jsonl')],
        ['other', manifestName(batch)],
        ['plan', besideName(shardName(batch, round, number), beside)],
        ['receipts', besideName(shardReceiptsName(batch, round, number), beside)],
        ['other', roundName(batch, round)],
        ['other', catalogName(batch, text)],
        ['other', revisionName(batch, 'corrected', digest, text)],
        ['other', revisionName(batch, 'decisions', digest, text)],
        ['other', againName(batch, digest)],
        ['other', termsName(batch, id.replaceAll('/', ''))],
        ['other', changesName(batch)],
        ['other', besideName(contactSheetName(batch), beside)],
        ['other', besideName(contactSheetPageName(batch), beside)],
        ['other', `${sheetFolder(batch)}rows-${digest.slice(0, 32)}.js`],
        ['other', `${sheetFolder(batch)}sprite-${digest.slice(0, 32)}.webp`],
        ['other', messagePictureName(batch, digest)],
        ['removal', removalName(batch)],
        ['image', roundCopyName(batch, round, { id, format })],
      ].map(([part, name]) => ({ batch, name: name!, part: part! })),
    ),
  );

test('every name that the layout gives a batch is known as what it is', () => {
  fc.assert(
    fc.property(ofBatch, ({ batch, name, part }) => {
      expect(batchPartOf(name)).toEqual({ batch, part });
    }),
    { numRuns: 1_000 },
  );
});

test("a copy is known as an image, by its name without its round's folder, unless its job has the contact sheet's name", () => {
  fc.assert(
    fc.property(batch, id, number, format, (batch, id, round, format) => {
      fc.pre(!id.startsWith('contact-sheet'));
      for (const name of [copyName(batch, { id, format }), roundCopyName(batch, round, { id, format })]) {
        expect(batchPartOf(name)).toEqual({ batch, part: 'image' });
        expect(copyIn(batch, name)).toBe(`${id}.${extension(format)}`);
      }
    }),
  );
});

const loose: fc.Arbitrary<[LooseKind, string]> = fc
  .record({ digest, other: digest, batch, id, format, version, round: number })
  .chain(({ digest, other, batch, id, format, version, round }) =>
    fc.constantFrom<[LooseKind, string]>(
      ['objects', objectName(digest, format)],
      ['checkpoints', checkpointName(digest)],
      ['captions', captionName(digest, other)],
      ['damaged', damagedName(objectName(digest, format), version)],
      ['damaged', damagedName(copyName(batch, { id, format }), version)],
      ['damaged', damagedName(roundCopyName(batch, round, { id, format }), version)],
    ),
  );

test('every other name that may be cleaned belongs to one kind only', () => {
  fc.assert(
    fc.property(loose, ([kind, name]) => {
      const kinds: LooseKind[] = ['objects', 'checkpoints', 'captions', 'damaged'];
      expect(kinds.filter((other) => isOwn(other, name))).toEqual([kind]);
      expect(batchPartOf(name)).toBeNull();
    }),
    { numRuns: 500 },
  );
});

test('a name with anything before, after or inside it that the layout would not write is not ours', () => {
  const spoilt = (name: string): string[] => [
    `${name}~`,
    `${name}.bak`,
    `x/${name}`,
    name.replace('/', '//'),
    `${name}/`,
    name.replace(/\.[^.]*$/, ''),
  ];
  fc.assert(
    fc.property(
      fc.oneof(
        loose.map(([, name]) => name),
        ofBatch.map(({ name }) => name),
      ),
      (name) => {
        for (const other of spoilt(name)) {
          expect(batchPartOf(other), other).toBeNull();
          for (const kind of ['objects', 'checkpoints', 'damaged', 'captions'] as const)
            if (kind !== 'captions' || !name.startsWith('captions/')) expect(isOwn(kind, other), other).toBe(false);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test.each([
  'batches/b/.DS_Store',
  'batches/b/notes.txt',
  'batches/b/_plan/notes.jsonl',
  'batches/b/_plan/1-7.jsonl',
  'batches/b/_album/cat.png',
  'batches/b/.album/cat.png',
  'batches/b/round-0/cat.png',
  'batches/b/round-1/round-2/cat.png',
  'batches/b/manifest.json/cat.png',
  'damaged/batches/b/_album/cat.12-3-4.png',
  'batches/b/_catalog/today.xlsx',
  'batches/.hidden/manifest.json',
  'batches/manifest.json',
  'objects/cat.png',
  'audit/2026-11-30/20261130T155332123Z-9f86d081.asked.json',
  `rates/${'a'.repeat(64)}.json`,
  `catalogs/${'a'.repeat(64)}.json`,
])('%s stays', (name) => {
  expect(batchPartOf(name)).toBeNull();
  for (const kind of ['objects', 'checkpoints', 'captions', 'damaged'] as const) expect(isOwn(kind, name)).toBe(false);
});
