import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import {
  batchEnd,
  batchProgress,
  cancelBatch,
  retryBatch,
  reviewPage,
  reviewPageEnd,
  submitBatch,
} from '../../client/index.ts';
import { UserError } from '../../domain/user-error.ts';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { readBatchRows } from '../../records/batch-rows.ts';
import { type Manifest, manifestSchema } from '../../records/manifest.ts';
import { GcsStore } from '../../store/gcs-store.ts';
import type { BatchResult } from '../../workflows/contract/batch.ts';
import { runHere } from '../cli/run-here.ts';
import { expectCode, jsonLines } from '../e2e/command-line.ts';
import { type FaultyNetwork, startFaultyNetwork } from '../store/faulty-network.ts';
import { retentionPolicy } from '../store/retention-policy.ts';
import { BUNDLE, type Site, startSite } from './site.ts';

/** Longer than any test. */
const PERIOD_MS = 86_400_000;

let emulator: BucketEmulator;
let network: FaultyNetwork;
let site: Site;
let isBroken = false;

const before = ({ prompt }: { prompt: string }): void => {
  if (isBroken && prompt.includes('stair')) throw new UserError('this picture cannot be made');
};

/** A picture with "slow" in its prompt takes longer than its test. */
const stepMs = ({ prompt }: { prompt: string }): number => (prompt.includes('slow') && isBroken ? 60_000 : 0);

beforeAll(async () => {
  emulator = await startBucketEmulator();
  await emulator.createBucket('archive');
  network = await startFaultyNetwork(emulator.endpoint, retentionPolicy(PERIOD_MS));
  vi.stubEnv('STORAGE_EMULATOR_HOST', network.endpoint);
  site = await startSite({ before, stepMs, storeUrl: 'gs://archive/images' });
});

afterAll(async () => {
  await site.stop();
  await network.stop();
  await emulator.stop();
  vi.unstubAllEnvs();
});

beforeEach(() => {
  isBroken = false;
});

async function resultOf(batch: string): Promise<BatchResult> {
  const end = await batchEnd(site.client, batch);
  if (end.state !== 'completed') throw new Error(`${batch}: ${JSON.stringify(end)}`);
  return end.result;
}

const readManifest = async ({ manifest }: Pick<BatchResult, 'manifest'>): Promise<Manifest> =>
  manifestSchema.parse(JSON.parse(Buffer.from(await site.store.read(manifest)).toString()));

const bytesOf = async (name: string): Promise<string> => Buffer.from(await site.store.read(name)).toString('base64');

async function submit(batch: string, catalog: string): Promise<void> {
  await submitBatch(site.client, { batch, catalog, store: site.store.url, bundle: BUNDLE });
}

it('two nights of one catalog, a retry of failed rows and one of rejected images all end, each with its own manifest', async () => {
  const catalog = await site.catalog('nightly.csv', ['a fox,256', 'a stair,256']);
  isBroken = true;
  await submit('night-1', catalog);
  const first = await resultOf('night-1');
  expect(first).toMatchObject({ manifest: 'batches/night-1/manifest-1.json', totals: { rendered: 1, failed: 1 } });
  expect(first.warnings).toBeUndefined();

  await submit('night-2', catalog);
  const second = await resultOf('night-2');
  expect(second).toMatchObject({ manifest: 'batches/night-2/manifest-1.json', totals: { reused: 1, failed: 1 } });
  expect(second.warnings).toEqual([
    expect.stringMatching(
      /^not replaced, since a retention policy keeps what is there until 2\S+: catalogs\/\S+\.json$/,
    ),
  ]);
  isBroken = false;

  await retryBatch(site.client, 'night-2');
  const retried = await resultOf('night-2');
  expect(retried).toMatchObject({ manifest: 'batches/night-2/manifest-2.json', totals: { reused: 1, rendered: 1 } });
  expect(retried.contactSheet).toBe('batches/night-2/contact-sheet-2.webp');
  const kept = ['json', 'jsonl', 'csv'].map((format) => `batches/night-2/manifest.${format}`).join(', ');
  expect(retried.warnings?.[0]).toContain(kept);

  const { images } = await readManifest(retried);
  const fox = images.find(({ prompt }) => prompt === 'a fox')!;
  const decisions = await site.catalog('decisions.csv', []);
  await writeFile(decisions, `id,render_key,decision\n${fox.id},${fox.renderKey},rejected\n`);
  await retryBatch(site.client, 'night-2', { decisions });
  const rejected = await resultOf('night-2');
  const third = await readManifest(rejected);
  const another = third.images.find(({ id }) => id === fox.id)!;
  expect(third).toMatchObject({ round: 3, totals: { jobs: 2, failed: 0 } });
  expect(another.copy).toBe(`batches/night-2/round-3/${fox.id}.png`);
  expect(await bytesOf(another.copy)).toBe(await bytesOf(another.object));
  expect(await bytesOf(fox.copy)).toBe(await bytesOf(fox.object));

  await reviewPageEnd(site.client, rejected);
  expect(await reviewPage(site.client, rejected)).toMatch(/^batches\/night-2\/contact-sheet-\d\.html$/);
});

it('objects that the store kept are shown where people look, and the newest round is reported and compared', async () => {
  const environment = { PIXART_STORE: site.store.url, TEMPORAL_ADDRESS: site.client.address };
  const told = /not replaced, since a retention policy keeps what is there until .*: batches\/night-2\/manifest.json/;
  expect(expectCode(0, await runHere(['status', 'night-2'], environment)).stdout).toMatch(told);
  const watched = expectCode(0, await runHere(['watch', 'night-2'], environment)).stdout;
  expect(watched).toMatch(told);
  expect(watched).toContain('gs://archive/images/batches/night-2/manifest-3.json');
  expect(jsonLines(await runHere(['watch', 'night-2', '--json'], environment)).at(-1)).toMatchObject({
    manifest: 'gs://archive/images/batches/night-2/manifest-3.json',
    warnings: [expect.stringMatching(told)],
  });
  const [report] = jsonLines(expectCode(0, await runHere(['report', 'night-2', '--json'], environment)));
  expect(report).toMatchObject({
    manifest: 'batches/night-2/manifest-3.json',
    failures: [],
    sizes: [{ jobs: 2, failed: 0 }],
  });
  expect((await readBatchRows(site.store, 'night-2')).map(({ file }) => file)).toContainEqual(
    expect.stringContaining('/round-3/'),
  );
});

it('a cancelled batch is submitted again under its id, and both ends stay on record', async () => {
  const catalog = await site.catalog('again.csv', ['a quick hill,256', 'a slow dale,256']);
  isBroken = true;
  await submit('again', catalog);
  const rendered = async () => (await batchProgress(site.client, 'again')).totals.rendered;
  await expect.poll(rendered, { timeout: 20_000 }).toBe(1);
  await cancelBatch(site.client, 'again');
  expect(await batchEnd(site.client, 'again')).toEqual({ state: 'cancelled', sheetPage: expect.any(String) });
  expect((await batchProgress(site.client, 'again')).manifest).toBe('batches/again/manifest-1.json');
  isBroken = false;
  await submit('again', catalog);
  const result = await resultOf('again');
  expect(result).toMatchObject({
    manifest: 'batches/again/manifest-1-2.json',
    totals: { jobs: 2, cancelled: 0, failed: 0 },
  });
  expect(await readManifest({ manifest: 'batches/again/manifest-1.json' })).toMatchObject({ state: 'cancelled' });
  const rows = await readBatchRows(site.store, 'again');
  expect(rows.map(({ status }) => status)).not.toContain('cancelled');
});

it('a damaged object that the bucket keeps fails only its image, with its name, and the batch continues', async () => {
  const catalog = await site.catalog('kept.csv', ['an owl,256', 'a hen,256']);
  await submit('kept-1', catalog);
  const [owl, hen] = (await readManifest(await resultOf('kept-1'))).images;
  // Damaged by somebody with more rights, before the policy was set.
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
  const direct = new GcsStore(site.store.url);
  vi.stubEnv('STORAGE_EMULATOR_HOST', network.endpoint);
  await direct.replace(owl!.object, new Uint8Array(), 'image/png');

  await submit('kept-2', catalog);
  const manifest = await readManifest(await resultOf('kept-2'));
  expect(manifest.images).toMatchObject([{ id: hen!.id, outcome: 'reused', crc32c: hen!.crc32c }]);
  const [failure, ...others] = manifest.failures;
  expect(others).toEqual([]);
  expect(failure).toMatchObject({ id: owl!.id, type: 'ObjectConflict', attempts: 1 });
  expect(failure!.reason).toMatch(
    new RegExp(`^${owl!.object} is damaged \\(it is empty\\) and cannot be replaced: .*a retention policy keeps`),
  );
  const environment = { PIXART_STORE: site.store.url, TEMPORAL_ADDRESS: site.client.address };
  expectCode(3, await runHere(['watch', 'kept-2'], environment));
  expect(expectCode(3, await runHere(['verify', 'kept-1'], environment)).stdout).toContain(
    `${owl!.object}: it has 0 bytes`,
  );
  expect(expectCode(3, await runHere(['verify', 'kept-1', '--repair'], environment)).stdout).toMatch(
    /could not be restored: .*a retention policy keeps/,
  );
});
