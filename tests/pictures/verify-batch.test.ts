import { chmod, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createPlanBatch } from '../../activities/plan-batch.ts';
import { createRenderImage } from '../../activities/render-image.ts';
import { createWriteManifest } from '../../activities/write-manifest.ts';
import { createWriteReceipts } from '../../activities/write-receipts.ts';
import { type Verification, verifyBatch } from '../../client/index.ts';
import type { Job } from '../../domain/job.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { UserError } from '../../domain/user-error.ts';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { againName, copyName, objectName, shardReceiptsName } from '../../records/layout.ts';
import { crc32c } from '../../store/crc32c.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import type { RenderActivities } from '../../workflows/contract/activities.ts';
import { attempt, BATCH, folderStore, planOf, tinyJob } from '../activities/rendering.ts';
import { type TinyRenderer, tinyRenderer } from '../models/renderer/tiny-renderer.ts';
import { startFaultyNetwork } from '../store/faulty-network.ts';

let renderer: TinyRenderer;
let emulator: BucketEmulator;
let renderImage: RenderActivities['renderImage'];
let jobs: Job[];
let buckets = 0;

beforeAll(async () => {
  renderer = await tinyRenderer();
  renderImage = createRenderImage({ openStore, renderer });
  jobs = ['fox', 'owl', 'hen'].map((id, seed) => tinyJob(renderer.bundle.digest, { id, seed }));
  emulator = await startBucketEmulator();
  await emulator.createBucket('pixart-test');
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await emulator.stop();
  await renderer.close();
});

/** A finished batch of three images. `original` has the fox's bytes, `other` the owl's. */
type Site = { store: ObjectStore; copy: string; object: string; original: Uint8Array; other: Uint8Array };

const writeReceipts = createWriteReceipts(openStore);
const writeManifest = createWriteManifest(openStore);
const planBatch = createPlanBatch(openStore);

async function render(store: ObjectStore, round: number, shard: string, count: number): Promise<void> {
  const outcomes: Receipt[] = [];
  for (let index = 0; index < count; index++) {
    outcomes.push(await attempt(renderImage, { store, shard, index, bundleDigest: renderer.bundle.digest }).receipt);
  }
  await close(store, round, outcomes);
}

async function close(store: ObjectStore, round: number, outcomes: Receipt[]): Promise<void> {
  const { name, digest } = renderer.bundle;
  const batch = { store: store.url, batch: BATCH, round };
  await writeReceipts({ ...batch, shard: 0, outcomes });
  const startedAt = new Date(0).toISOString();
  await writeManifest({ ...batch, bundle: { name, digest }, state: 'completed', startedAt, lostShards: [] });
}

async function finishedBatch(store: ObjectStore): Promise<Site> {
  await render(store, 1, await planOf(store, jobs), jobs.length);
  const [fox, owl] = jobs.map(({ renderKey }) => objectName(renderKey, 'png'));
  const copy = copyName(BATCH, 'fox', 'png');
  return { store, copy, object: fox!, original: await store.read(fox!), other: await store.read(owl!) };
}

/** As where the file system has no hard links: copies have bytes of their own. */
async function withoutLinks(): Promise<Site> {
  const site = await finishedBatch(await folderStore());
  for (const { id } of jobs) {
    const path = pathOf(site, copyName(BATCH, id, 'png'));
    const bytes = await site.store.read(copyName(BATCH, id, 'png'));
    await rm(path);
    await writeFile(path, bytes);
  }
  return site;
}

const kinds: [string, () => Promise<Site>][] = [
  ['a folder with hard links', async () => finishedBatch(await folderStore())],
  ['a folder without hard links', withoutLinks],
  ['a bucket', async () => finishedBatch(await openStore(`gs://pixart-test/verify ${buckets++}`))],
];

const pathOf = ({ store }: Site, name: string): string => fileURLToPath(`${store.url}/${name}`);

/** What somebody did to the object or the copy; nothing in its place where there are no bytes. */
async function damage({ store }: Site, name: string, data: Uint8Array | null): Promise<void> {
  if (data === null) return store.remove(name);
  const found = (await store.find(name))!;
  await found.supersede(`before/${name}`, { data, contentType: 'image/png', metadata: await found.metadata() });
}

const compare = ({ store }: Site): Promise<Verification> => verifyBatch(BATCH, { store: store.url });
const repair = ({ store }: Site): Promise<Verification> => verifyBatch(BATCH, { store: store.url, repair: true });

async function names({ store }: Site, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of store.list(prefix)) found.push(name);
  return found;
}

async function kept(site: Site): Promise<string[]> {
  const all = await names(site, 'damaged/');
  return Promise.all(all.map(async (name) => crc32c(await site.store.read(name))));
}

const clean = { images: 3, differences: [], repaired: [], unrepaired: [] };

const damages: [string, (site: Site) => Uint8Array | null][] = [
  ['empty', () => new Uint8Array()],
  ['cut short', ({ original }) => original.subarray(0, 1_000)],
  ['another picture', ({ other }) => other],
  ['gone', () => null],
];

describe.each(kinds)('a batch in %s', (_, finished) => {
  test('is found as it was made, and nothing is written', async () => {
    const site = await finished();
    const before = await names(site);
    expect(await compare(site)).toEqual(clean);
    expect(await repair(site)).toEqual(clean);
    expect(await names(site)).toEqual(before);
  });

  test.each(damages)('whose copy is %s gets it back from the object', async (_, change) => {
    const site = await finished();
    const changed = change(site);
    await damage(site, site.copy, changed);
    const { differences } = await compare(site);
    expect(differences).toEqual([
      { id: 'fox', name: site.copy, fault: expect.stringMatching(/^it (has|is not there)/) },
    ]);
    expect((await repair(site)).repaired).toEqual([{ id: 'fox', from: 'object' }]);
    expect(await compare(site)).toEqual(clean);
    expect(Buffer.compare(await site.store.read(site.copy), site.original)).toBe(0);
    expect(await kept(site)).toEqual(changed === null ? [] : [crc32c(changed)]);
  });

  test.each(damages)('whose object is %s gets it back from the copy', async (_, change) => {
    const site = await finished();
    const changed = change(site);
    await damage(site, site.object, changed);
    expect((await compare(site)).differences).toMatchObject([{ id: 'fox', name: site.object }]);
    expect((await repair(site)).repaired).toEqual([{ id: 'fox', from: 'copy' }]);
    expect(await compare(site)).toEqual(clean);
    expect(Buffer.compare(await site.store.read(site.object), site.original)).toBe(0);
    expect(await kept(site)).toEqual(changed === null ? [] : [crc32c(changed)]);
    const again = attempt(renderImage, {
      ...{ store: site.store, shard: await planOf(site.store, jobs, 1), batch: 'later' },
      bundleDigest: renderer.bundle.digest,
    });
    expect(await again.receipt).toMatchObject({ outcome: 'reused', crc32c: crc32c(site.original) });
  });

  test.each(damages)(
    'whose object and copy are %s has the image made anew by another round, with a new receipt',
    async (_, change) => {
      const site = await finished();
      const { store } = site;
      const changed = change(site);
      for (const name of [site.object, site.copy]) await damage(site, name, changed);
      expect((await compare(site)).differences.map(({ name }) => name)).toEqual([site.copy, site.object]);
      expect((await repair(site)).repaired).toEqual([{ id: 'fox', from: 'render' }]);
      await anotherRound(store, ['fox']);
      expect(await compare(site)).toEqual(clean);
      expect(new Set(await kept(site))).toEqual(new Set(changed === null ? [] : [crc32c(changed)]));
    },
  );

  test('of which an earlier version reused what was damaged already is found out, though all of its checksums agree', async () => {
    const site = await finished();
    const { store, original } = site;
    const cut = original.subarray(0, 1_000);
    await damage(site, site.copy, cut);
    const object = (await store.find(site.object))!;
    await object.supersede('before/object', { data: cut, contentType: 'image/png', metadata: {} });
    await close(store, 1, await receiptsOf(site, cut));
    expect((await compare(site)).differences).toMatchObject([
      { name: site.copy, fault: expect.stringContaining('cut short') },
      { name: site.object, fault: expect.stringContaining('cut short') },
    ]);
    expect((await repair(site)).repaired).toEqual([{ id: 'fox', from: 'render' }]);
    await anotherRound(store, ['fox']);
    expect(await compare(site)).toEqual(clean);
  });
});

/** The receipts of the first round, the fox's as if it had been made with these bytes. */
async function receiptsOf({ store }: Site, fox: Uint8Array): Promise<Receipt[]> {
  const text = Buffer.from(await store.read(shardReceiptsName(BATCH, 1, 0))).toString('utf8');
  const receipts = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Receipt);
  return receipts.map((receipt) =>
    receipt.id === 'fox' ? { ...receipt, bytes: fox.length, crc32c: crc32c(fox) } : receipt,
  );
}

/** What a retry does that is told to make rows again. */
async function anotherRound(store: ObjectStore, ids: string[]): Promise<void> {
  const again = againName(BATCH, 'ab'.repeat(32));
  await store.replace(again, Buffer.from(`${ids.join('\n')}\n`), 'text/plain');
  const { name, digest } = renderer.bundle;
  const plan = await planBatch({
    ...{ batch: BATCH, round: 2, store: store.url, window: 4, source: { kind: 'retry', again } },
    bundle: { name, digest, sizes: ['256'], defaults: { steps: 2, guidance: 4 } },
    defaults: { size: '256', format: 'png', quality: null },
  });
  expect(plan).toMatchObject({ jobs: ids.length, made: { '256': { rendered: 3 - ids.length } } });
  await render(store, 2, plan.shards[0]!.name, ids.length);
}

describe('a batch in a folder with hard links', () => {
  test('whose picture a person edited in place keeps what was edited', async () => {
    const site = await finishedBatch(await folderStore());
    const edited = Buffer.from(site.original).fill(7, 500, 600);
    await chmod(pathOf(site, site.copy), 0o644);
    await writeFile(pathOf(site, site.copy), edited);
    expect((await compare(site)).differences).toHaveLength(2);
    expect((await repair(site)).repaired).toEqual([{ id: 'fox', from: 'render' }]);
    await anotherRound(site.store, ['fox']);
    expect(await compare(site)).toEqual(clean);
    expect(new Set(await kept(site))).toEqual(new Set([crc32c(edited)]));
  });
});

test('a batch without a manifest is a user error that says where one was expected', async () => {
  const store = await folderStore();
  await expect(verifyBatch('nothing', { store: store.url })).rejects.toThrow(UserError);
  await expect(verifyBatch('nothing', { store: store.url })).rejects.toThrow(/batches\/nothing\/manifest/);
});

test('an image that the store does not let go is named, and the others come back', async () => {
  const site = await finishedBatch(await openStore(`gs://pixart-test/verify ${buckets++}`));
  const owl = copyName(BATCH, 'owl', 'png');
  await damage(site, site.object, site.other);
  await site.store.remove(owl);
  const network = await startFaultyNetwork(emulator.endpoint, (label) =>
    label.startsWith('POST /upload/') ? { status: 403, body: { error: { code: 403, message: 'kept' } } } : 'passes',
  );
  vi.stubEnv('STORAGE_EMULATOR_HOST', network.endpoint);
  onTestFinished(async () => {
    vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
    await network.stop();
  });
  const { repaired, unrepaired } = await verifyBatch(BATCH, { store: `${site.store.url}/`, repair: true });
  expect(repaired).toEqual([{ id: 'owl', from: 'object' }]);
  expect(unrepaired).toEqual([{ id: 'fox', reason: expect.stringContaining('access denied (403)') }]);
});
