import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CATALOG_LIMITS } from '../../catalog/catalog-limits.ts';
import { planCatalog } from '../../catalog/plan-catalog.ts';
import type { Failure, Receipt } from '../../domain/receipt.ts';
import { TURN_BYTES, TURN_CELLS } from '../../domain/turns.ts';
import { CarriedNames } from '../../records/carried-names.ts';
import type { RecordFile } from '../../records/damaged.ts';
import { safeWithin } from '../../records/formats.ts';
import { manifestEntry, manifestPieces, manifestSchema } from '../../records/manifest.ts';
import {
  type ManifestRow,
  manifestCsv,
  manifestJsonl,
  manifestRow,
  noteNames,
  readManifestJsonl,
} from '../../records/manifest-table.ts';
import { sampleJob } from '../images/sample-job.ts';

const receipt: Receipt = {
  id: sampleJob.id,
  renderKey: sampleJob.renderKey,
  object: `objects/${sampleJob.renderKey}.png`,
  copy: `batches/night/${sampleJob.id}.png`,
  bytes: 1234,
  crc32c: 'AAAAAA==',
  width: 48,
  height: 32,
  outcome: 'rendered',
  computations: 2,
  timings: {
    waitMs: 1.4,
    textEncodeMs: 2.6,
    denoiseMs: 300.2,
    decodeMs: 40,
    imageEncodeMs: 7.8,
    storeMs: 5,
    deviceMs: 171.4,
  },
};
const failure: Failure = { id: 'other', type: 'UserError', reason: 'no', attempts: 1 };

function csvPieces(rows: ManifestRow[]): Uint8Array[] {
  const names = new CarriedNames();
  for (const row of rows) noteNames(row, names);
  return [...manifestCsv(rows, names)];
}
const csvOf = (rows: ManifestRow[]): Buffer => Buffer.concat(csvPieces(rows));
const file: RecordFile = {
  store: 'file:///out',
  name: 'batches/night/manifest.jsonl',
  holds: 'rows',
  remedy: 'Restore it.',
};
const readRows = (bytes: Uint8Array) => readManifestJsonl(bytes, file);
const read = (csv: Buffer) => parse(csv, { bom: true, columns: true }) as Record<string, string>[];

test('a row holds its job’s outcome: an image with its timings, a failure with its reason, or neither', async () => {
  const rows = [receipt, failure, undefined].map((outcome) => manifestRow(sampleJob, outcome));
  expect(rows).toMatchObject([
    {
      status: 'rendered',
      file: receipt.copy,
      computations: 2,
      wait_ms: 1,
      text_encode_ms: 3,
      device_ms: 171,
      error: null,
      reason: null,
    },
    { status: 'failed', file: '', bytes: null, wait_ms: null, error: 'UserError', reason: 'no' },
    { status: 'cancelled', file: '', bytes: null, error: null, reason: null },
  ]);
  expect(await readRows(Buffer.concat([...manifestJsonl(rows)]))).toEqual(rows);
});

test('a table with encode_ms for the text, and nothing for encoding the image, is still read', async () => {
  const { text_encode_ms, image_encode_ms, device_ms, ...others } = manifestRow(sampleJob, receipt);
  const former = Buffer.from(`${JSON.stringify({ ...others, encode_ms: text_encode_ms })}\n`);
  expect(await readRows(former)).toEqual([{ ...others, text_encode_ms, image_encode_ms: null, device_ms: null }]);
  expect([image_encode_ms, device_ms]).toEqual([8, 171]);
});

test('columns that a later version adds to the table are ignored', async () => {
  const row = manifestRow(sampleJob, receipt);
  const later = Buffer.from(`${JSON.stringify({ ...row, upscale_ms: 4 })}\n`);
  expect(await readRows(later)).toEqual([row]);
});

test('the table has the catalog’s other columns except those with the name of one of its own', async () => {
  const metadata = { shelf: 'A3', status: 'urgent' };
  const rows = [manifestRow({ ...sampleJob, metadata }, receipt), manifestRow({ ...sampleJob, metadata: {} }, failure)];
  const table = read(csvOf(rows));
  expect(table).toMatchObject([
    { status: 'rendered', shelf: 'A3' },
    { status: 'failed', shelf: '' },
  ]);
  expect(Object.keys(table[0]!).filter((name) => name.includes('status'))).toEqual(['status']);
});

test('a long table is written in pieces that join into one table', async () => {
  const rows = Array.from({ length: 2_500 }, (_, i) => manifestRow({ ...sampleJob, id: `id-${i}` }, undefined));
  expect(csvPieces(rows).length).toBeGreaterThan(2);
  expect(read(csvOf(rows)).map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
  expect(await readRows(Buffer.concat([...manifestJsonl(rows)]))).toEqual(rows);
});

test('no cell of the table is a formula to a spreadsheet, and everything else reads back unchanged', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (prompt) => {
      const csv = csvOf([manifestRow({ ...sampleJob, prompt, metadata: { note: prompt } }, receipt)]);
      const [row] = read(csv);
      for (const cell of [row!.prompt!, row!.note!]) {
        expect(cell).not.toMatch(/^[=+\-@\t\r＝＋－＠]/u);
        expect([safeWithin(prompt), `'${safeWithin(prompt)}`]).toContain(cell);
      }
    }),
  );
  for (const sign of ['=', '+', '-', '@', '\t', '\r']) {
    const [row] = read(csvOf([manifestRow({ ...sampleJob, prompt: `${sign}cmd|' /C calc'!A0` }, receipt)]));
    expect(row!.prompt).toBe(`'${sign}cmd|' /C calc'!A0`);
  }
});

test('no part of a cell is a formula either, to a spreadsheet that separates cells by semicolons or tabs', () => {
  const formula = "=cmd|' /C calc'!A0";
  for (const separator of [';', '\t', '\n', '\r\n']) {
    const hostile = ['a fox', formula, `"${formula}&""`, '＋1'].join(separator);
    const text = Buffer.from(csvOf([manifestRow({ ...sampleJob, prompt: hostile }, receipt)])).toString();
    // Such a spreadsheet knows no quotes in the middle of a cell, and takes those at its start away.
    for (const part of text.split(/[;\t\r\n]/)) expect(part.replace(/^"*/, '')).not.toMatch(/^[=+\-@＝＋－＠]/u);
    const [row] = read(Buffer.from(text));
    const apostrophe = `${separator}'`;
    expect(row!.prompt).toBe(['a fox', formula, `"${formula}&""`, '＋1'].join(apostrophe));
  }
  const harmless = 'a fox; a hen, "two owls"\r\n 3 × 4 = 12\n\n(a-b)';
  expect(read(csvOf([manifestRow({ ...sampleJob, prompt: harmless }, receipt)]))[0]!.prompt).toBe(harmless);
});

test('rows of the table can be submitted again, and so can the rows of that batch’s table', async () => {
  const bundle = {
    name: 'tiny',
    digest: 'cd'.repeat(32),
    sizes: ['256' as const],
    defaults: { steps: 2, guidance: 4 },
  };
  const settings = {
    ...{ format: 'csv' as const, columns: {}, bundle, pipelineVersion: 1 },
    defaults: { size: '256' as const, format: 'png' as const, quality: null },
  };
  const catalog = 'id,prompt,aspect,seed,negative_prompt\nfox,"a fox, red",16:9,,fog\nowl,an owl,,7,';
  const first = await planCatalog([Buffer.from(catalog)], { ...settings, file: 'catalog.csv' });
  const jobs = first.shards.flatMap((shard) => shard.jobs);
  const table = csvOf(jobs.map((job) => manifestRow(job, undefined)));
  const second = await planCatalog([table], { ...settings, file: 'manifest.csv' });
  const keys = (plan: typeof first) => plan.shards.flatMap((shard) => shard.jobs.map(({ renderKey }) => renderKey));
  expect(keys(second)).toEqual(keys(first));
  const secondJobs = second.shards.flatMap((shard) => shard.jobs);
  const third = await planCatalog([csvOf(secondJobs.map((job) => manifestRow(job, undefined)))], {
    ...settings,
    file: 'again.csv',
  });
  expect(keys(third)).toEqual(keys(first));
});

/** A row of JSON Lines with keys of its own, as planned by a version before the limit on columns. */
const wideRow = (row: number, keys: number): ManifestRow =>
  manifestRow(
    {
      ...sampleJob,
      id: `row-${row}`,
      metadata: Object.fromEntries(Array.from({ length: keys }, (_, key) => [`k${row}_${key}`, 'x'])),
    },
    undefined,
  );

test('a batch with more columns than a catalog may have gets the first of them in manifest.csv, and all in manifest.jsonl', async () => {
  const rows = Array.from({ length: 250 }, (_, row) => wideRow(row, 190));
  const names = new CarriedNames();
  for (const row of rows) noteNames(row, names);
  expect(names.names).toHaveLength(CATALOG_LIMITS.carriedColumns);
  expect(names.leftOut).toBe(250 * 190 - CATALOG_LIMITS.carriedColumns);
  const table = read(csvOf(rows));
  expect(table.map(({ k0_0, k2_119, k2_120 }) => [k0_0, k2_119, k2_120]).slice(0, 3)).toEqual([
    ['x', '', undefined],
    ['', '', undefined],
    ['', 'x', undefined],
  ]);
  expect(await readRows(Buffer.concat([...manifestJsonl(rows)]))).toEqual(rows);
});

test('no piece of a table, made in one turn of the event loop, has more cells than a turn’s work', () => {
  const rows = Array.from({ length: 400 }, (_, row) => wideRow(row % 3, 160));
  for (const piece of csvPieces(rows)) {
    const records = parse(Buffer.from(piece), { bom: true }) as string[][];
    expect(records.reduce((sum, record) => sum + record.length, 0)).toBeLessThanOrEqual(TURN_CELLS);
  }
  for (const piece of manifestJsonl(rows)) {
    const lines = Buffer.from(piece).toString().trim().split('\n');
    expect(lines.length * (160 + 25)).toBeLessThanOrEqual(TURN_CELLS);
  }
  const entries = rows.map((row) => manifestEntry(failure, row));
  const head = {
    ...{ batch: 'night', round: 1, state: 'completed' as const },
    bundle: { name: 'x', digest: 'ab'.repeat(32) },
  };
  const times = { startedAt: new Date(0).toISOString(), finishedAt: new Date(0).toISOString() };
  const totals = { jobs: 400, rendered: 0, reused: 0, failed: 400, cancelled: 0, extraComputations: 0 };
  const pieces = [...manifestPieces({ ...head, ...times, totals }, [], entries)];
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(TURN_BYTES + 1_000);
  expect(manifestSchema.parse(JSON.parse(Buffer.concat(pieces).toString())).failures).toHaveLength(400);
});

test('long texts make shorter pieces', () => {
  const rows = Array.from({ length: 60 }, (_, row) => ({ ...wideRow(row, 1), prompt: 'x'.repeat(20_000) }));
  for (const piece of [...manifestJsonl(rows), ...csvPieces(rows)]) expect(piece.length).toBeLessThan(2 ** 20);
});
