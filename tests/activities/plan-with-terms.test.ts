import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createPlanBatch } from '../../activities/plan-batch.ts';
import { type BatchRequest, batchInput } from '../../client/request.ts';
import { readRequestedCatalog } from '../../client/requested-catalog.ts';
import { catalogName, termsName } from '../../records/layout.ts';
import { readJobs } from '../../records/plan-and-receipts.ts';
import { openStore, storeUrl } from '../../store/index.ts';
import { anywhere } from '../anywhere.ts';

const bundle = { name: 'tiny', digest: 'cd'.repeat(32), sizes: ['256' as const], defaults: { steps: 2, guidance: 4 } };

async function place() {
  const folder = await mkdtemp(join(tmpdir(), 'pixart-terms-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'terms'));
  const terms = join(folder, 'terms', 'colours.txt');
  const catalog = join(folder, 'catalog.csv');
  await writeFile(terms, 'red\nblue\n');
  await writeFile(catalog, 'id,prompt,steps\ncup,a __colours__ cup,2|3\n');
  const request: BatchRequest = { catalog, store: join(folder, 'out'), bundle, expansion: {} };
  return { terms, request, store: await openStore(storeUrl(request.store)) };
}

const ids = (jobs: { id: string }[]): string[] => jobs.map(({ id }) => id);

test('an orchestrator plans from the files of terms beside the catalog, keeps them, and plans the same from its copies', async () => {
  const { terms, request, store } = await place();
  const input = batchInput(request, 'night');
  const first = await createPlanBatch(anywhere)(input);
  expect(ids(await readJobs(store, first.shards[0]!.name))).toEqual([
    'cup-red-2',
    'cup-red-3',
    'cup-blue-2',
    'cup-blue-3',
  ]);
  await writeFile(terms, 'green\n');
  expect(await createPlanBatch(anywhere)(input)).toEqual(first);
  expect(Buffer.from(await store.read(termsName('night', 'colours'))).toString()).toBe('red\nblue\n');
});

test('it plans what the person who submits is shown, from the copies that were handed over, wherever the terms are now', async () => {
  const { terms, request, store } = await place();
  const input = batchInput(request, 'night');
  const { jobs, files } = await readRequestedCatalog(input);
  const shown: string[] = [];
  for await (const { id } of jobs) shown.push(id);
  await store.create(catalogName('night', 'csv'), files.catalog, 'text/plain');
  for (const [name, bytes] of files.terms) await store.create(termsName('night', name), bytes, 'text/plain');
  await rm(terms);
  const { shards } = await createPlanBatch(anywhere)(input);
  expect(ids(await readJobs(store, shards[0]!.name))).toEqual(shown);
});
