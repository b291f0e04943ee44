import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CATALOG_LIMITS } from '../../catalog/catalog-limits.ts';
import { keepRevisions } from '../../client/retry-revisions.ts';
import { manifestName } from '../../records/layout.ts';
import { manifestJsonl, manifestRow } from '../../records/manifest-table.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import type { BatchInput } from '../../workflows/contract/batch.ts';
import { sampleJob } from '../images/sample-job.ts';

let folder: string;
let store: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-revisions-'));
  store = await openStore(pathToFileURL(path.join(folder, 'out')).href);
});

afterEach(() => rm(folder, { recursive: true }));

const table = manifestName('night', 'jsonl');

const input = (): BatchInput => ({
  ...{ batch: 'night', round: 1, store: store.url, window: 4, source: { kind: 'retry' } },
  bundle: { name: 'tiny', digest: 'cd'.repeat(32), sizes: ['256'], defaults: { steps: 2, guidance: 4 } },
  defaults: { size: '256', format: 'png', quality: null },
});

/** Ends a batch without images whose row carries so many columns. */
async function endBatch(columns: number): Promise<void> {
  const metadata = Object.fromEntries(Array.from({ length: columns }, (_, at) => [`old_${at}`, 'x']));
  const rows = [manifestRow({ ...sampleJob, id: 'fox', metadata }, undefined)];
  await store.replace(table, Buffer.concat([...manifestJsonl(rows)]), 'application/x-ndjson');
}

async function correct(columns: number): Promise<unknown> {
  const catalog = path.join(folder, 'corrected.csv');
  const names = Array.from({ length: columns }, (_, at) => `new_${at}`);
  await writeFile(catalog, `${['id', 'prompt', ...names].join(',')}\n${['fox', 'a fox', ...names].join(',')}\n`);
  const { revised } = await keepRevisions(input(), { columns: {} }, { corrected: { catalog } });
  return revised;
}

const { carriedColumns } = CATALOG_LIMITS;

test('corrected catalogs may not bring a batch more columns, round after round, than a catalog may have', async () => {
  await endBatch(carriedColumns - 100);
  expect(await correct(100)).toMatchObject({ corrected: 1 });
  await expect(correct(101)).rejects.toThrow(
    `expected at most ${carriedColumns} different columns besides ours in all rows of the batch together, found ${carriedColumns + 1} with those`,
  );
});

test('a batch that has more columns already, from an earlier version, may be corrected without new ones', async () => {
  await endBatch(2 * carriedColumns);
  expect(await correct(0)).toMatchObject({ corrected: 1 });
  await expect(correct(1)).rejects.toThrow(`expected at most ${2 * carriedColumns} different columns`);
});

test('a table that is cut short is named, and what helps', async () => {
  await store.replace(table, Buffer.from('{"id":"fox","sta'), 'application/x-ndjson');
  await expect(correct(0)).rejects.toThrow(`${table} in ${store.url}, line 1 is damaged: expected rows of the table`);
});
