import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createPlanBatch } from '../../activities/plan-batch.ts';
import { createRenderImage } from '../../activities/render-image.ts';
import { createWriteManifest } from '../../activities/write-manifest.ts';
import { createWriteReceipts } from '../../activities/write-receipts.ts';
import { type Verification, verifyBatch } from '../../client/index.ts';
import { sha256 } from '../../domain/digest.ts';
import type { Job } from '../../domain/job.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { UserError } from '../../domain/user-error.ts';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { putPicture } from '../../pictures/picture-place.ts';
import { AUDIT_FOLDER, againName, batchFolder, planFolder } from '../../records/layout.ts';
import { crc32c } from '../../store/crc32c.ts';
import { type ObjectMetadata, type ObjectStore, openStore } from '../../store/index.ts';
import type { RenderActivities } from '../../workflows/contract/activities.ts';
import { attempt, BATCH, folderStore, planOf, tinyJob } from '../activities/rendering.ts';
import { anywhere } from '../anywhere.ts';
import { type TinyRenderer, tinyCaptions, tinyRenderer } from '../models/renderer/tiny-renderer.ts';
import { startFaultyNetwork } from '../store/faulty-network.ts';

let renderer: TinyRenderer;
let emulator: BucketEmulator;
let renderImage: RenderActivities['renderImage'];
let jobs: Job[];
let buckets = 0;

beforeAll(async () => {
  renderer = await tinyRenderer();
  renderImage = createRenderImage({ captions: tinyCaptions, openStore, renderer });
  jobs = ['fox', 'owl', 'hen', 'cat'].map((id, seed) => tinyJob(renderer.bundle.digest, { id, seed }));
  emulator = await startBucketEmulator();
  await emulator.createBucket('pixart-test');
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await emulator.stop();
  await renderer.close();
});

/** A finished batch of three images, in a store of its own. */
type Site = { store: ObjectStore };

type Made = { receipt: Receipt; bytes: Uint8Array; metadata: ObjectMetadata };

/** By id. */
let made: Record<string, Made>;

const writeReceipts = createWriteReceipts(openStore);
const writeManifest = createWriteManifest(openStore);
const planBatch = createPlanBatch(anywhere);

const render = (store: ObjectStore, shard: string, index: number, batch = BATCH): Promise<Receipt> =>
  attempt(renderImage, { store, shard, index, batch, bundleDigest: renderer.bundle.digest }).receipt;

async function makeImages(): Promise<typeof made> {
  const store = await folderStore();
  const shard = await planOf(store, jobs);
  const images: typeof made = {};
  for (const [index, { id }] of jobs.entries()) {
    const receipt = await render(store, shard, index);
    const metadata = await (await store.find(receipt.object))!.metadata();
    images[id] = { receipt, bytes: await store.read(receipt.object), metadata };
  }
  return images;
}

async function finishedBatch(store: ObjectStore): Promise<Site> {
  made ??= await makeImages();
  await planOf(store, jobs);
  for (const { receipt, bytes, metadata } of Object.values(made)) {
    const { stat } = await store.create(receipt.object, bytes, 'image/png', metadata);
    await stat.copy(receipt.copy);
  }
  await close(
    store,
    1,
    Object.values(made).map(({ receipt }) => receipt),
  );
  return { store };
}

async function close(store: ObjectStore, round: number, outcomes: Receipt[]): Promise<void> {
  const { name, digest } = renderer.bundle;
  const batch = { store: store.url, batch: BATCH, round };
  await writeReceipts({ ...batch, shard: 0, outcomes });
  const startedAt = new Date(0).toISOString();
  await writeManifest({ ...batch, bundle: { name, digest }, state: 'completed', startedAt, lostShards: [] });
}

const copyOf = (id: string): string => made[id]!.receipt.copy;
const objectOf = (id: string): string => made[id]!.receipt.object;

/** As on a file system without hard links: copies have their own bytes. */
async function withoutLinks(): Promise<Site> {
  const site = await finishedBatch(await folderStore());
  for (const { receipt, bytes } of Object.values(made)) {
    await rm(pathOf(site, receipt.copy));
    await writeFile(pathOf(site, receipt.copy), bytes);
  }
  return site;
}

const kinds: [string, () => Promise<Site>][] = [
  ['a folder with hard links', async () => finishedBatch(await folderStore())],
  ['a folder without hard links', withoutLinks],
  ['a bucket', async () => finishedBatch(await openStore(`gs://pixart-test/verify ${buckets++}`))],
];

const pathOf = ({ store }: Site, name: string): string => fileURLToPath(`${store.url}/${name}`);

/** Replaces the object or the copy; `null` removes it. */
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

const clean = { images: 4, differences: [], repaired: [], unrepaired: [] };

const damages: [string, () => Uint8Array | null][] = [
  ['empty', () => new Uint8Array()],
  ['cut short', () => made.fox!.bytes.subarray(0, 1_000)],
  ['another picture', () => made.cat!.bytes],
  ['gone', () => null],
];

describe.each(kinds)('a batch in %s', (_, finished) => {
  test('has no differences as it was made, and only audit lines are written', async () => {
    const site = await finished();
    const before = await names(site);
    expect(await compare(site)).toEqual(clean);
    expect(await names(site)).toEqual(before);
    expect(await repair(site)).toEqual(clean);
    expect((await names(site)).filter((name) => !name.startsWith(AUDIT_FOLDER))).toEqual(before);
  });

  test.each(damages)(
    'restores a copy that is %s from the object, an object from the copy, and both by another round',
    async (_, change) => {
      const site = await finished();
      const { store } = site;
      const changed = change();
      for (const name of [copyOf('fox'), objectOf('owl'), copyOf('hen'), objectOf('hen')])
        await damage(site, name, changed);
      const differences = [
        ['fox', copyOf('fox')],
        ['owl', objectOf('owl')],
        ['hen', copyOf('hen')],
        ['hen', objectOf('hen')],
      ];
      expect((await compare(site)).differences.map(({ id, name }) => [id, name])).toEqual(differences);
      expect(await names(site, 'damaged/')).toEqual([]);

      const { repaired, unrepaired } = await repair(site);
      expect(unrepaired).toEqual([]);
      expect(repaired.map(({ id, from }) => [id, from])).toEqual([
        ['fox', 'object'],
        ['owl', 'copy'],
        ['hen', 'render'],
      ]);
      expect((await compare(site)).differences.map(({ id }) => id)).toEqual(['hen', 'hen']);
      await anotherRound(store, ['hen']);
      expect(await compare(site)).toEqual(clean);
      for (const { receipt, bytes } of Object.values(made)) {
        for (const name of [receipt.copy, receipt.object])
          expect(crc32c(await store.read(name)), name).toBe(crc32c(bytes));
      }
      expect(await kept(site)).toEqual(changed === null ? [] : Array.from({ length: 4 }, () => crc32c(changed)));
      const later = await planOf(store, jobs, 1);
      expect(await render(store, later, 1, 'later')).toMatchObject({ outcome: 'reused' });
    },
  );

  test('in which an earlier version reused a damaged image is detected, although all checksums match', async () => {
    const site = await finished();
    const { store } = site;
    const cut = made.fox!.bytes.subarray(0, 1_000);
    await damage(site, copyOf('fox'), cut);
    const object = (await store.find(objectOf('fox')))!;
    await object.supersede('before/object', { data: cut, contentType: 'image/png', metadata: {} });
    const receipts = Object.values(made).map(({ receipt }) => receipt);
    await close(
      store,
      1,
      receipts.map((receipt) =>
        receipt.id === 'fox' ? { ...receipt, bytes: cut.length, crc32c: crc32c(cut) } : receipt,
      ),
    );
    expect((await compare(site)).differences).toMatchObject([
      { name: copyOf('fox'), fault: expect.stringContaining('truncated') },
      { name: objectOf('fox'), fault: expect.stringContaining('truncated') },
    ]);
    expect((await repair(site)).repaired).toEqual([{ id: 'fox', from: 'render' }]);
    await anotherRound(store, ['fox']);
    expect(await compare(site)).toEqual(clean);
  });
});

/** Does what a retry of given rows does. */
async function anotherRound(store: ObjectStore, ids: string[]): Promise<void> {
  const lines = `${ids.join('\n')}\n`;
  const again = againName(BATCH, sha256(lines));
  await store.create(again, Buffer.from(lines), 'text/plain');
  const { name, digest } = renderer.bundle;
  const plan = await planBatch({
    ...{ batch: BATCH, round: 2, store: store.url, window: 4, source: { kind: 'retry', again } },
    bundle: { name, digest, sizes: ['256'], defaults: { steps: 2, guidance: 4 } },
    defaults: { size: '256', format: 'png', quality: null },
  });
  expect(plan).toMatchObject({ jobs: ids.length, made: { '256': { rendered: jobs.length - ids.length } } });
  const receipts = [];
  for (const index of ids.keys()) receipts.push(await render(store, plan.shards[0]!.name, index));
  await close(store, 2, receipts);
}

test('an image that was edited in place, as object and copy at once, is kept', async () => {
  const site = await finishedBatch(await folderStore());
  const edited = Buffer.from(made.fox!.bytes).fill(7, 500, 600);
  await chmod(pathOf(site, copyOf('fox')), 0o644);
  await writeFile(pathOf(site, copyOf('fox')), edited);
  expect((await compare(site)).differences).toHaveLength(2);
  expect((await repair(site)).repaired).toEqual([{ id: 'fox', from: 'render' }]);
  await anotherRound(site.store, ['fox']);
  expect(await compare(site)).toEqual(clean);
  expect(new Set(await kept(site))).toEqual(new Set([crc32c(edited)]));
});

test('an object that has been rendered again, by its record, is no difference if the copy is unchanged', async () => {
  const site = await finishedBatch(await folderStore());
  const { store } = site;
  const anew = await sharp(made.fox!.bytes).keepXmp().png({ compressionLevel: 1 }).toBuffer();
  await store.remove(objectOf('fox'));
  await putPicture(store, jobs[0]!, anew, null);
  expect(await compare(site)).toEqual(clean);
  await store.remove(copyOf('fox'));
  expect((await repair(site)).repaired).toEqual([{ id: 'fox', from: 'render' }]);
  await anotherRound(store, ['fox']);
  expect(await compare(site)).toEqual(clean);
  expect(crc32c(await store.read(copyOf('fox')))).toBe(crc32c(anew));
});

test('an object that two images of a batch share is restored once', async () => {
  const store = await folderStore();
  const twin = { ...made.fox!.receipt, id: 'twin', copy: 'batches/night/twin.png' };
  await planOf(store, [...jobs, { ...jobs[0]!, id: 'twin' }]);
  await finishedBatch(store);
  await (await store.find(objectOf('fox')))!.copy(twin.copy);
  await close(store, 1, [...Object.values(made).map(({ receipt }) => receipt), twin]);
  await store.remove(objectOf('fox'));
  expect((await compare({ store })).differences.map(({ id }) => id)).toEqual(['fox', 'twin']);
  expect(await repair({ store })).toMatchObject({ repaired: [{ id: 'fox', from: 'copy' }], unrepaired: [] });
  expect((await compare({ store })).differences).toEqual([]);
});

test('a missing object is restored from the copy, even if the plan is damaged', async () => {
  const site = await finishedBatch(await folderStore());
  const [piece] = await names(site, planFolder(BATCH));
  await site.store.replace(piece!, Buffer.from('{"id":"fo'), 'application/x-ndjson');
  await site.store.remove(objectOf('fox'));
  expect((await repair(site)).repaired).toMatchObject([{ id: 'fox', from: 'copy' }]);
  expect(await compare(site)).toEqual(clean);
});

test('a folder in the place of a copy is moved aside', async () => {
  const site = await finishedBatch(await folderStore());
  await rm(pathOf(site, copyOf('fox')));
  await mkdir(pathOf(site, copyOf('fox')));
  expect((await repair(site)).repaired).toEqual([{ id: 'fox', from: 'object' }]);
  expect(await compare(site)).toEqual(clean);
});

test('a batch without a manifest is a user error with the place where one was expected', async () => {
  const site = await finishedBatch(await folderStore());
  for (const name of await readdir(pathOf(site, batchFolder(BATCH)))) {
    if (name.startsWith('manifest')) await rm(pathOf(site, `${batchFolder(BATCH)}${name}`));
  }
  const verified = verifyBatch(BATCH, { store: site.store.url });
  await expect(verified).rejects.toThrow(UserError);
  await expect(verified).rejects.toThrow(new RegExp(`batches/${BATCH}/manifest`));
});

test('a batch that does not exist is a user error that says so', async () => {
  const store = await folderStore();
  await expect(verifyBatch('nothing', { store: store.url })).rejects.toThrow(UserError);
  await expect(verifyBatch('nothing', { store: store.url })).rejects.toThrow(
    /expected a batch of that name in .*, found none/,
  );
});

test('an image that the store protects is named, and the others are restored', async () => {
  const { store } = await finishedBatch(await openStore(`gs://pixart-test/verify ${buckets++}`));
  await damage({ store }, objectOf('fox'), made.owl!.bytes);
  await store.remove(copyOf('owl'));
  const network = await startFaultyNetwork(emulator.endpoint, (label, _nth, url) =>
    label.startsWith('POST /upload/') && url.searchParams.get('name')?.endsWith('.png')
      ? { status: 403, body: { error: { code: 403, message: 'kept' } } }
      : 'passes',
  );
  vi.stubEnv('STORAGE_EMULATOR_HOST', network.endpoint);
  onTestFinished(async () => {
    vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
    await network.stop();
  });
  const { repaired, unrepaired } = await verifyBatch(BATCH, { store: `${store.url}/`, repair: true });
  expect(repaired).toEqual([{ id: 'owl', from: 'object' }]);
  expect(unrepaired).toEqual([{ id: 'fox', reason: expect.stringContaining('access denied (403)') }]);
});
