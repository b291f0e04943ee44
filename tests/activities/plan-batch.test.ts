import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createPlanBatch } from '../../activities/plan-batch.ts';
import { createWriteManifest } from '../../activities/write-manifest.ts';
import { batchInput } from '../../client/request.ts';
import { readRequestedCatalog } from '../../client/requested-catalog.ts';
import { ratesName } from '../../records/layout.ts';
import { readJobs } from '../../records/plan-and-receipts.ts';
import type { Rates } from '../../records/rates.ts';
import { beginRemoval } from '../../records/removal.ts';
import { plannedRates } from '../../records/rounds.ts';
import { openStore } from '../../store/index.ts';
import { anywhere } from '../anywhere.ts';

const bundle = { name: 'tiny', digest: 'cd'.repeat(32), sizes: ['256' as const], defaults: { steps: 2, guidance: 4 } };

async function planned(rows: Record<string, string>[]) {
  const folder = await mkdtemp(join(tmpdir(), 'pixart-plan-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const catalog = join(folder, 'catalog.jsonl');
  await writeFile(catalog, rows.map((row) => JSON.stringify(row)).join('\n'));
  return createPlanBatch(anywhere)(batchInput({ catalog, store: join(folder, 'out'), bundle }, 'night'));
}

test('a plan tells which columns its rows carry along', async () => {
  const plan = await planned([
    { prompt: 'a cup', team: 'toys' },
    { prompt: 'a cat', colour: 'red' },
  ]);
  expect(plan).toMatchObject({ jobs: 2, columns: ['team', 'colour'] });
});

test('columns that are too many to travel with the batch are not told, and the batch is planned all the same', async () => {
  const row = (i: number) => ({ prompt: `cup ${i}`, [`column ${i} ${'x'.repeat(200)}`]: 'yes' });
  const plan = await planned(Array.from({ length: 30 }, (_, i) => row(i)));
  expect(plan.jobs).toBe(30);
  expect(plan).not.toHaveProperty('columns');
});

test('with fresh seeds every batch of a list of prompts has its own, which who submits it is shown, and which stay when it is planned again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pixart-plan-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const catalog = join(folder, 'prompts.txt');
  await writeFile(catalog, 'a flat apple\n--prompt "a rocket" --seed 7\n');
  const seedsOf = async (batch: string) => {
    const input = batchInput({ catalog, store: join(folder, 'out'), bundle, defaults: { seeds: 'fresh' } }, batch);
    const shown: number[] = [];
    for await (const { seed } of (await readRequestedCatalog(input)).jobs) shown.push(seed);
    const { shards } = await createPlanBatch(anywhere)(input);
    await createPlanBatch(anywhere)(input);
    const planned = (await readJobs(await openStore(input.store), shards[0]!.name)).map(({ seed }) => seed);
    expect(planned).toEqual(shown);
    return planned;
  };
  const [tonight, tomorrow] = [await seedsOf('night-1'), await seedsOf('night-2')];
  expect([tonight[1], tomorrow[1]]).toEqual([7, 7]);
  expect(tonight[0]).not.toBe(tomorrow[0]);
});

test('with fresh seeds no batch is compared with the one before: all of its pictures would have changed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pixart-plan-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const catalog = join(folder, 'prompts.txt');
  await writeFile(catalog, 'a flat apple\n');
  const request = { catalog, store: join(folder, 'out'), bundle };
  const store = await openStore(batchInput(request, 'night-1').store);
  await createPlanBatch(anywhere)(batchInput(request, 'night-1'));
  const manifest = { store: store.url, batch: 'night-1', round: 1, catalog: batchInput(request, 'night-1').source.url };
  await createWriteManifest(openStore)({
    ...manifest,
    bundle: { name: bundle.name, digest: bundle.digest },
    state: 'cancelled',
    startedAt: new Date().toISOString(),
    lostShards: [],
  });
  const again = await createPlanBatch(anywhere)(batchInput(request, 'night-2'));
  expect(again.changes).toMatchObject({ since: 'night-1', unchanged: 1 });
  const fresh = await createPlanBatch(anywhere)(batchInput({ ...request, defaults: { seeds: 'fresh' } }, 'night-3'));
  expect(fresh).not.toHaveProperty('changes');
});

test('a batch that is being removed is not planned: its files would go with the others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pixart-plan-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const catalog = join(folder, 'prompts.txt');
  await writeFile(catalog, 'a flat apple\n');
  const input = batchInput({ catalog, store: join(folder, 'out'), bundle }, 'night-1');
  await beginRemoval(await openStore(input.store), 'night-1', 'clean');
  await expect(createPlanBatch(anywhere)(input)).rejects.toThrow(/batch night-1 is being removed/);
});

test('a batch notes what was known of its bundle when it was planned, which its own images replace later', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pixart-plan-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const catalog = join(folder, 'prompts.txt');
  await writeFile(catalog, 'a flat apple\n');
  const inputOf = (batch: string) => batchInput({ catalog, store: join(folder, 'out'), bundle }, batch);
  const store = await openStore(inputOf('night-1').store);
  await createPlanBatch(anywhere)(inputOf('night-1'));
  expect(await plannedRates(store, 'night-1')).toBeNull();
  const ofSize = (secondsPerStep: number) => ({ '256': { 'GPU A': { images: 8, secondsPerStep } } });
  const known: Rates = { format: 2, bundle: bundle.digest, sizes: ofSize(0.5) };
  const keep = (rates: Rates) =>
    store.replace(ratesName(bundle.digest), Buffer.from(JSON.stringify(rates)), 'application/json');
  await keep(known);
  await createPlanBatch(anywhere)(inputOf('night-2'));
  await keep({ ...known, sizes: ofSize(0.9) });
  expect(await plannedRates(store, 'night-2')).toEqual(known);
});
