import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CATALOG_LIMITS } from '../../catalog/catalog-limits.ts';
import { keepRevisions } from '../../client/retry-revisions.ts';
import type { BatchRow } from '../../records/batch-rows.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { sampleJob } from '../images/sample-job.ts';

let folder: string;
let store: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-revisions-'));
  store = await openStore(pathToFileURL(path.join(folder, 'out')).href);
});

afterEach(() => rm(folder, { recursive: true }));

const input = (): Parameters<typeof keepRevisions>[1] => ({
  ...{ batch: 'night', round: 1, store: store.url, window: 4, source: { kind: 'retry' } },
  bundle: { name: 'tiny', digest: 'cd'.repeat(32), sizes: ['256'], defaults: { steps: 2, guidance: 4 } },
  defaults: { size: '256', format: 'png', quality: null },
});

/** A batch without images whose row carries this many columns. */
function batchOf(columns: number): BatchRow[] {
  const metadata = Object.fromEntries(Array.from({ length: columns }, (_, at) => [`old_${at}`, 'x']));
  const { renderKey } = sampleJob;
  return [{ id: 'fox', renderKey, firstKey: renderKey, hasImage: false, metadata }];
}

async function correct(rows: BatchRow[], columns: number): Promise<unknown> {
  const catalog = path.join(folder, 'corrected.csv');
  const names = Array.from({ length: columns }, (_, at) => `new_${at}`);
  await writeFile(catalog, `${['id', 'prompt', ...names].join(',')}\n${['fox', 'a fox', ...names].join(',')}\n`);
  const { revised } = await keepRevisions(store, input(), { corrected: { catalog } }, rows);
  return revised;
}

const { carriedColumns } = CATALOG_LIMITS;

test('corrected catalogs cannot add more columns to a batch, over several rounds, than a catalog may have', async () => {
  const rows = batchOf(carriedColumns - 100);
  expect(await correct(rows, 100)).toMatchObject({ corrected: 1 });
  await expect(correct(rows, 101)).rejects.toThrow(
    `expected at most ${carriedColumns} different columns besides ours in all rows of the batch together, found ${carriedColumns + 1} with the ones`,
  );
});

test('a batch of an earlier version that already has more columns may be corrected without new ones', async () => {
  const rows = batchOf(2 * carriedColumns);
  expect(await correct(rows, 0)).toMatchObject({ corrected: 1 });
  await expect(correct(rows, 1)).rejects.toThrow(`expected at most ${2 * carriedColumns} different columns`);
});
