import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ending, wrapped } from '../../cli/display/output.ts';
import { bundleRef, chosenBundle, submitBatch } from '../../client/index.ts';
import type { Failure, Receipt } from '../../domain/receipt.ts';
import { SIZES } from '../../domain/size.ts';
import { manifestJsonl, manifestRow } from '../../records/manifest-table.ts';
import { sampleJob } from '../images/sample-job.ts';
import { type Site, startSite } from '../workflows/site.ts';
import { runHere } from './run-here.ts';

let folder: string;
let site: Site;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-narrow-a-folder-with-a-rather-long-name-'));
  const bundle = bundleRef(await chosenBundle('pixart-icons'));
  site = await startSite({ bundle, allow: [folder] });
  const catalog = path.join(folder, 'catalog-of-the-spring-collection.csv');
  await writeFile(catalog, 'id,prompt,steps\nfox,a red fox,1\n');
  for (const batch of ['spring-20260131T093000Z', 'spring-20260201T093000Z']) {
    await submitBatch(site.client, { batch, catalog, store: path.join(folder, 'out'), bundle });
  }
});

afterAll(async () => {
  await site.stop();
  await rm(folder, { recursive: true });
});

const list = async (...options: string[]) => {
  const { code, stdout, stderr } = await runHere(['list', '--address', site.client.address, ...options]);
  expect(code, stderr).toBe(0);
  return { lines: stdout.trim().split('\n'), stderr };
};

const MS = {
  waitMs: 1,
  textEncodeMs: 20,
  denoiseMs: 987_654,
  decodeMs: 12_345,
  imageEncodeMs: 80,
  storeMs: 5,
  deviceMs: 999_999,
};

const receiptOf = (id: string): Receipt => ({
  id,
  ...{ renderKey: sampleJob.renderKey, object: `objects/${sampleJob.renderKey}.png`, copy: `batches/night/${id}.png` },
  ...{ bytes: 12_345_678, crc32c: 'AAAAAA==', width: 48, height: 32, outcome: 'rendered', computations: 1 },
  timings: MS,
});

const widest = (lines: string[]): number => Math.max(...lines.map((line) => line.length));

test('a list fits 80 columns: ids are complete, and catalogs are shortened at the front', async () => {
  const { lines } = await list();
  expect(lines).toHaveLength(3);
  expect(widest(lines)).toBeLessThanOrEqual(80);
  for (const line of lines.slice(1)) expect(line).toMatch(/^spring-2026\w+Z .+…\S*\.csv$/);
});

test('a list can be limited to the newest batches, or to a state', async () => {
  const { lines } = await list('--limit', '1');
  expect(lines.slice(1)).toEqual([expect.stringContaining('spring-20260201T093000Z')]);
  expect(await list('--state', 'terminated')).toEqual({ lines: [''], stderr: 'no batch is terminated\n' });
  await expect.poll(async () => (await list('--state', 'completed')).lines.length).toBe(3);
  expect((await runHere(['list', '--state', 'asleep'])).code).toBe(2);
});

test('a report fits 80 columns even with all sizes, long reasons and many ids', async () => {
  const reason = 'expected a prompt that fits, found one that is longer than a picture of this format has room for';
  const failure = (id: string): Failure => ({ id, type: 'MetadataTooLong', reason, attempts: 1 });
  const rows = SIZES.flatMap((size) =>
    Array.from({ length: 12 }, (_, at) => {
      const job = { ...sampleJob, size, id: `a-rather-long-id-of-a-row-${size}-${at}` };
      return manifestRow(job, at < 11 ? failure(job.id) : receiptOf(job.id));
    }),
  );
  await mkdir(path.join(folder, 'out/batches/night'), { recursive: true });
  await writeFile(path.join(folder, 'out/batches/night/manifest.jsonl'), Buffer.concat([...manifestJsonl(rows)]));
  const { code, stdout, stderr } = await runHere(['report', 'night', '--store', path.join(folder, 'out')]);
  expect(code, stderr).toBe(0);
  expect(widest(stdout.split('\n'))).toBeLessThanOrEqual(80);
  expect(stdout).toMatch(/^size +256 +512 +1024 +2k +4k$/m);
  expect(stdout).toMatch(/^jobs +12 +12 +12 +12 +12$/m);
});

test('text is wrapped at words, and a path that is too long keeps its end', () => {
  expect(wrapped('one two three four', '  ', 10)).toBe('one two\n  three\n  four');
  expect(ending('/a/long/path.csv', 9)).toBe('…path.csv');
  expect(ending('path.csv', 9)).toBe('path.csv');
});
