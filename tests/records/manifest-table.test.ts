import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planCatalog } from '../../catalog/plan-catalog.ts';
import type { Failure, Receipt } from '../../domain/receipt.ts';
import {
  type ManifestRow,
  manifestCsv,
  manifestJsonl,
  manifestRow,
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
  timings: { waitMs: 1.4, textEncodeMs: 2.6, denoiseMs: 300.2, decodeMs: 40, imageEncodeMs: 7.8, storeMs: 5 },
};
const failure: Failure = { id: 'other', type: 'UserError', reason: 'no', attempts: 1 };

const csvOf = (rows: ManifestRow[]): Buffer => Buffer.concat([...manifestCsv(rows)]);
const read = (csv: Buffer) => parse(csv, { bom: true, columns: true }) as Record<string, string>[];

test('a row says what became of its job: an image with its timings, a failure with its reason, or neither', () => {
  const rows = [receipt, failure, undefined].map((outcome) => manifestRow(sampleJob, outcome));
  expect(rows).toMatchObject([
    {
      status: 'rendered',
      file: receipt.copy,
      computations: 2,
      wait_ms: 1,
      text_encode_ms: 3,
      error: null,
      reason: null,
    },
    { status: 'failed', file: '', bytes: null, wait_ms: null, error: 'UserError', reason: 'no' },
    { status: 'cancelled', file: '', bytes: null, error: null, reason: null },
  ]);
  expect(readManifestJsonl(Buffer.concat([...manifestJsonl(rows)]))).toEqual(rows);
});

test('a table that says encode_ms, of the text, and nothing of the image’s encoding is still read', () => {
  const { text_encode_ms, image_encode_ms, ...others } = manifestRow(sampleJob, receipt);
  const former = Buffer.from(`${JSON.stringify({ ...others, encode_ms: text_encode_ms })}\n`);
  expect(readManifestJsonl(former)).toEqual([{ ...others, text_encode_ms, image_encode_ms: null }]);
  expect(image_encode_ms).toBe(8);
});

test('columns that a later version adds to the table are passed over', () => {
  const row = manifestRow(sampleJob, receipt);
  const later = Buffer.from(`${JSON.stringify({ ...row, upscale_ms: 4 })}\n`);
  expect(readManifestJsonl(later)).toEqual([row]);
});

test('the table has the catalog’s other columns but those that have the name of one of its own', () => {
  const metadata = { shelf: 'A3', status: 'urgent' };
  const rows = [manifestRow({ ...sampleJob, metadata }, receipt), manifestRow({ ...sampleJob, metadata: {} }, failure)];
  const table = read(csvOf(rows));
  expect(table).toMatchObject([
    { status: 'rendered', shelf: 'A3' },
    { status: 'failed', shelf: '' },
  ]);
  expect(Object.keys(table[0]!).filter((name) => name.includes('status'))).toEqual(['status']);
});

test('a long night is written in pieces that are together one table', () => {
  const rows = Array.from({ length: 2_500 }, (_, i) => manifestRow({ ...sampleJob, id: `id-${i}` }, undefined));
  expect([...manifestCsv(rows)].length).toBeGreaterThan(2);
  expect(read(csvOf(rows)).map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
  expect(readManifestJsonl(Buffer.concat([...manifestJsonl(rows)]))).toEqual(rows);
});

test('no cell of the table is a formula to a spreadsheet, and all else comes back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (prompt) => {
      const csv = csvOf([manifestRow({ ...sampleJob, prompt, metadata: { note: prompt } }, receipt)]);
      const [row] = read(csv);
      for (const cell of [row!.prompt!, row!.note!]) {
        expect(cell).not.toMatch(/^[=+\-@\t\r＝＋－＠]/u);
        expect([prompt, `'${prompt}`]).toContain(cell);
      }
    }),
  );
  for (const sign of ['=', '+', '-', '@', '\t', '\r']) {
    const [row] = read(csvOf([manifestRow({ ...sampleJob, prompt: `${sign}cmd|' /C calc'!A0` }, receipt)]));
    expect(row!.prompt).toBe(`'${sign}cmd|' /C calc'!A0`);
  }
});

test('rows of the table can be submitted again, and a table of that again', async () => {
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
