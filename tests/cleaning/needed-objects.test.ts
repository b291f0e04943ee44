import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NeededObjects } from '../../cleaning/needed-objects.ts';
import { copyIn } from '../../cleaning/own-names.ts';
import { lineSchema, recordLine } from '../../cleaning/record-lines.ts';
import { extension, IMAGE_FORMATS, type ImageFormat } from '../../domain/image-format.ts';
import type { Job } from '../../domain/job.ts';
import type { JobOutcome } from '../../domain/receipt.ts';
import { gathered } from '../../domain/turns.ts';
import { DamagedRecord } from '../../records/damaged.ts';
import { copyName, objectName, roundManifestName, shardName, shardReceiptsName } from '../../records/layout.ts';
import { manifestJsonl, manifestRow } from '../../records/manifest-table.ts';
import { encodeJobs, encodeOutcomes } from '../../records/plan-and-receipts.ts';
import type { ObjectStore } from '../../store/index.ts';
import { folderStore } from '../activities/rendering.ts';
import { jobOf, timings } from './sample-batch.ts';

type Row = { picture: string; format: ImageFormat; isMade: boolean; folder: string | null };

const anyRow: fc.Arbitrary<Row> = fc.record({
  picture: fc.constantFrom('fox', 'owl', 'hen', 'cat', 'elk', 'bee'),
  format: fc.constantFrom(...IMAGE_FORMATS),
  isMade: fc.boolean(),
  folder: fc.constantFrom(null, 'Größe', '图标/二'),
});

const job = ({ picture, format, folder }: Row): Job => ({
  ...jobOf(picture),
  format,
  ...(folder !== null && { copyAs: `${folder}/${picture}.${extension(format)}` }),
});

const object = (row: Row): string => objectName(job(row).renderKey, row.format);

const outcome = (row: Row): JobOutcome => {
  const id = row.picture;
  if (!row.isMade) return { id, type: 'UserError', reason: 'no', attempts: 1 };
  const copy = copyName('b', job(row));
  const picture = { bytes: 1, crc32c: 'AAAAAA==', width: 256, height: 256, outcome: 'reused' as const };
  return { id, renderKey: job(row).renderKey, object: object(row), copy, computations: 0, timings, ...picture };
};

const lines = (bytes: Uint8Array) =>
  Buffer.from(bytes)
    .toString('utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => recordLine(lineSchema.parse(JSON.parse(line))));

test('a line of a plan names its object, and so does one of receipts or a table if there is an image', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyRow), async (rows) => {
      const named = (row: Row) => ({
        id: row.picture,
        object: object(row),
        copy: copyIn('b', copyName('b', job(row))),
      });
      const made = (row: Row) => (row.isMade ? named(row) : { id: row.picture, object: null, copy: null });
      const outcomes = rows.map(outcome);
      const table = rows.map((row, at) => manifestRow(job(row), outcomes[at]));
      expect(lines(await encodeJobs(rows.map(job)))).toEqual(rows.map(named));
      expect(lines(encodeOutcomes(outcomes))).toEqual(rows.map(made));
      // A table has the render key and format of failed rows too, which may have an object nonetheless.
      const told = lines(await gathered(manifestJsonl(table)));
      for (const [at, row] of rows.entries()) expect([object(row), null]).toContain(told[at]?.object);
      expect(told.filter((_, at) => rows[at]!.isMade)).toEqual(rows.filter(({ isMade }) => isMade).map(named));
    }),
  );
});

test('lines of later versions and other authors name nothing that a sweep would remove, and cause no error', () => {
  const key = 'a'.repeat(64);
  const said = (line: object) => recordLine(lineSchema.parse({ id: 'x', ...line })).object;
  expect(said({ renderKey: key, format: 'jxl' })).toBeNull();
  expect(said({ render_key: key, file: 'batches/b/x.jxl' })).toBeNull();
  expect(said({ render_key: '', file: '' })).toBeNull();
  expect(said({ object: 'somewhere/else.png' })).toBeNull();
  expect(said({ renderKey: key, format: 'jpeg', more: { of: 'it' } })).toBe(`objects/${key}.jpg`);
});

type Records = { batch: string; plan: Row[][]; receipts: Row[]; table: Row[] };

const anyRecords: fc.Arbitrary<Records[]> = fc.uniqueArray(
  fc.record({
    batch: fc.constantFrom('a', 'a-b', 'b', 'c'),
    plan: fc.array(fc.array(anyRow, { minLength: 1 }), { maxLength: 2 }),
    receipts: fc.array(anyRow.map((row) => ({ ...row, isMade: true }))),
    table: fc.array(anyRow.map((row) => ({ ...row, isMade: true }))),
  }),
  { selector: ({ batch }) => batch },
);

async function write(store: ObjectStore, { batch, plan, receipts, table }: Records): Promise<void> {
  const create = (name: string, data: Uint8Array) => store.create(name, data, 'application/x-ndjson');
  for (const [at, rows] of plan.entries()) await create(shardName(batch, 1 + at, 0), await encodeJobs(rows.map(job)));
  await create(shardReceiptsName(batch, 1, 0), encodeOutcomes(receipts.map(outcome)));
  const rows = table.map((row) => manifestRow(job(row), outcome(row)));
  await create(roundManifestName(batch, 1, 1, 'jsonl'), await gathered(manifestJsonl(rows)));
}

const namesOf = ({ plan, receipts, table }: Records): string[] => [...plan.flat(), ...receipts, ...table].map(object);

test('everything that a batch names in any of its records is needed, in whatever order, and nothing else', async () => {
  const everything = ['fox', 'owl', 'hen', 'cat', 'elk', 'bee'].flatMap((picture) =>
    IMAGE_FORMATS.map((format) => object({ picture, format, isMade: true, folder: null })),
  );
  await fc.assert(
    fc.asyncProperty(anyRecords, fc.subarray(['a', 'a-b', 'b', 'c']), fc.nat(4), async (all, without, before) => {
      const store = await folderStore();
      const needed = new NeededObjects(store, new Set(without));
      for (const records of all.slice(0, before)) await write(store, records);
      await needed.refresh();
      for (const records of all.slice(before)) await write(store, records);
      await needed.refresh();
      const expected = new Set(all.filter(({ batch }) => !without.includes(batch)).flatMap(namesOf));
      expect(everything.filter((name) => needed.has(name)).sort()).toEqual([...expected].sort());
    }),
    { numRuns: 10 },
  );
});

test('an unreadable record is reported, with the batch whose needs are unknown', async () => {
  const store = await folderStore();
  await store.create(shardName('spring', 1, 0), Buffer.from('{"id":"fox"}\n{"id":"o'), 'application/x-ndjson');
  await expect(new NeededObjects(store).refresh()).rejects.toThrow(DamagedRecord);
  await expect(new NeededObjects(store).refresh()).rejects.toThrow(/line 2 is damaged.*remove batches\/spring\//);
  await expect(new NeededObjects(store, new Set(['spring'])).refresh()).resolves.toBeUndefined();
});
