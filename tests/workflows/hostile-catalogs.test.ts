import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { batchEnd, controlBatch, submitBatch } from '../../client/index.ts';
import { manifestName, planFolder, receiptsFolder } from '../../records/layout.ts';
import { BUNDLE, type Site, startSite } from './site.ts';

let site: Site;
let folder: string;
/** Until this is set, images take so long that the batch is still running. */
let isFiltered = false;

beforeAll(async () => {
  site = await startSite({ stepMs: () => (isFiltered ? 0 : 100) });
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-hostile-'));
});

afterAll(async () => {
  await site?.stop();
  await rm(folder, { recursive: true });
});

test('a batch ends whatever its columns are called and whatever files are among its pieces, and filters work on such columns', async () => {
  const catalog = path.join(folder, 'catalog.jsonl');
  const rows = ['x', '', 'y', 'drop'].map(
    (cell, row) =>
      `{"id":"row-${row}","prompt":"a fox","seed":${row},"steps":100,"constructor":"${cell}","toString":"t","__proto__":"${cell}"}`,
  );
  await writeFile(catalog, rows.join('\n'));
  for (const pieces of [planFolder('night'), receiptsFolder('night')]) {
    const place = fileURLToPath(`${site.store.url}/${pieces}`);
    await mkdir(place, { recursive: true });
    for (const name of ['.DS_Store', '._1-00000.jsonl', '1-00000.jsonl~']) await writeFile(path.join(place, name), 'x');
  }
  await submitBatch(site.client, { catalog, store: site.store.url, bundle: BUNDLE, batch: 'night', window: 1 });
  const filter = { column: '__proto__', pattern: 'dr*' };
  await expect
    .poll(() => controlBatch(site.client, 'night', { kind: 'cancel-rows', filter }).then(() => 'done', String))
    .toBe('done');
  isFiltered = true;
  expect(await batchEnd(site.client, 'night')).toMatchObject({ state: 'completed' });
  const table = parse(Buffer.from(await site.store.read(manifestName('night', 'csv'))), {
    bom: true,
  }) as string[][];
  const [header, ...cells] = table;
  const places = ['id', 'constructor', 'toString', '__proto__'].map((name) => header!.indexOf(name));
  expect(cells.map((row) => places.map((place) => row[place]))).toEqual([
    ['row-0', 'x', 't', 'x'],
    ['row-1', '', 't', ''],
    ['row-2', 'y', 't', 'y'],
    ['row-3', 'drop', 't', 'drop'],
  ]);
});
