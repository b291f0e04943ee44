import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createRenderImage } from '../../activities/render-image.ts';
import type { Job } from '../../domain/job.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { readRenderKey } from '../../images/index.ts';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { readRecord } from '../../pictures/record.ts';
import { GcsStore } from '../../store/gcs-store.ts';
import { type ObjectMetadata, type ObjectStore, openStore } from '../../store/index.ts';
import type { RenderActivities } from '../../workflows/contract/activities.ts';
import { type TinyRenderer, tinyCaptions, tinyRenderer } from '../models/renderer/tiny-renderer.ts';
import { startFaultyNetwork } from '../store/faulty-network.ts';
import { attempt, folderStore, planOf, tinyJob } from './rendering.ts';

let renderer: TinyRenderer;
let emulator: BucketEmulator;
let renderImage: RenderActivities['renderImage'];
let bundleDigest: string;
let job: Job;
let stranger: Job;
let stores = 0;

beforeAll(async () => {
  renderer = await tinyRenderer();
  emulator = await startBucketEmulator();
  await emulator.createBucket('pixart-test');
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
  renderImage = createRenderImage({ captions: tinyCaptions, openStore, renderer });
  bundleDigest = renderer.bundle.digest;
  job = tinyJob(bundleDigest);
  stranger = tinyJob(bundleDigest, { id: 'stranger', seed: 8 });
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await emulator.stop();
  await renderer.close();
});

const kinds: [string, () => Promise<ObjectStore>][] = [
  ['folder', folderStore],
  ['bucket', () => openStore(`gs://pixart-test/damaged ${stores++}`)],
];

type Site = { store: ObjectStore; shard: string; made: Receipt; original: Uint8Array; other: Uint8Array };

/** What an earlier batch made, in a store of its own, with what it noted of the pictures. */
let earlier: Pick<Site, 'made' | 'original' | 'other'> & { noted: ObjectMetadata; notedOfOther: ObjectMetadata };

async function makePictures(): Promise<typeof earlier> {
  const store = await folderStore();
  const shard = await planOf(store, [job, stranger]);
  const [made, others] = [
    await attempt(renderImage, { store, shard, index: 0, bundleDigest }).receipt,
    await attempt(renderImage, { store, shard, index: 1, bundleDigest }).receipt,
  ];
  const metadata = async ({ object }: Receipt) => (await store.find(object))!.metadata();
  return {
    made,
    original: await store.read(made.object),
    other: await store.read(others.object),
    noted: await metadata(made),
    notedOfOther: await metadata(others),
  };
}

/** A store in which an earlier batch has made the picture. */
async function siteIn(fresh: () => Promise<ObjectStore>): Promise<Site> {
  earlier ??= await makePictures();
  const store = await fresh();
  await store.create(earlier.made.object, earlier.original, 'image/png', earlier.noted);
  return { store, shard: await planOf(store, [job]), ...earlier };
}

/** Puts something else under the object's name, with what was recorded of the object or something else beside it. */
async function exchange({ store, made }: Site, data: Uint8Array, metadata?: ObjectMetadata): Promise<void> {
  const found = (await store.find(made.object))!;
  await found.supersede(`before/${found.version}`, {
    data,
    contentType: 'image/png',
    metadata: metadata ?? (await found.metadata()),
  });
}

const NO_RECORD: ObjectMetadata = {};

async function names(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of store.list(prefix)) found.push(name);
  return found;
}

const again = ({ store, shard }: Site): Promise<Receipt> =>
  attempt(renderImage, { store, shard, bundleDigest }).receipt;

/** The picture is rendered once more, is in the batch and in its place, and what was there is kept. */
async function expectMadeAnew(site: Site, damaged: Uint8Array): Promise<void> {
  const { store, made, original } = site;
  const receipt = await again(site);
  expect(receipt).toMatchObject({ outcome: 'rendered', computations: 1, bytes: made.bytes, crc32c: made.crc32c });
  for (const name of [receipt.copy, made.object]) expect(Buffer.compare(await store.read(name), original)).toBe(0);
  const [kept, ...others] = await names(store, 'damaged/');
  expect(others).toEqual([]);
  expect(kept).toMatch(new RegExp(`^damaged/${made.object.replace('.png', '')}\\.[\\w-]+\\.png$`));
  expect(Buffer.compare(await store.read(kept!), damaged)).toBe(0);
  expect(await again(site)).toMatchObject({ outcome: 'reused', computations: 0, crc32c: made.crc32c });
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
};

describe.each(kinds)('an object in a %s', (_, fresh) => {
  test('carries what it was made as, and is reused by it', async () => {
    const site = await siteIn(fresh);
    const { store, made } = site;
    const found = (await store.find(made.object))!;
    const { bytes, crc32c, renderKey } = made;
    expect(readRecord(await found.metadata())).toEqual({ bytes, crc32c, renderKey });
    expect(await again(site)).toMatchObject({ outcome: 'reused', bytes, crc32c });
  });

  test.each<[string, (site: Site) => Uint8Array]>([
    ['is empty', () => new Uint8Array()],
    ['was cut short', ({ original }) => original.subarray(0, original.length / 2)],
    ['lacks its last byte', ({ original }) => original.subarray(0, -1)],
    ['has something behind its end', ({ original }) => Buffer.concat([original, Buffer.from('x')])],
    ['has a bit changed', ({ original }) => flipped(original, original.length - 100)],
    ['is another picture', ({ other }) => other],
    ['is no picture', () => Buffer.from('<html>')],
  ])('that %s is kept aside and rendered again, with a record or without', async (_, damage) => {
    for (const metadata of [undefined, NO_RECORD]) {
      const site = await siteIn(fresh);
      const damaged = damage(site);
      await exchange(site, damaged, metadata);
      await expectMadeAnew(site, damaged);
    }
  });

  test('whose record is that of another picture is kept aside and rendered again', async () => {
    const site = await siteIn(fresh);
    const { original } = site;
    await exchange(site, original, { ...earlier.notedOfOther, 'pixart-batch-crc32c': site.made.crc32c });
    await expectMadeAnew(site, original);
  });

  test('of an earlier version is reused when it is whole, and gets its record', async () => {
    const site = await siteIn(fresh);
    const { store, made, original } = site;
    await exchange(site, original, NO_RECORD);
    expect(await again(site)).toMatchObject({ outcome: 'reused', computations: 0, crc32c: made.crc32c });
    const { bytes, crc32c, renderKey } = made;
    expect(readRecord(await (await store.find(made.object))!.metadata())).toEqual({ bytes, crc32c, renderKey });
    expect(await names(store, 'damaged/')).toEqual([]);
  });

  test('that two workers find damaged is replaced by one of them', async () => {
    const site = await siteIn(fresh);
    const { store, shard, original } = site;
    await exchange(site, original.subarray(1));
    const workers = [renderImage, createRenderImage({ captions: tinyCaptions, openStore, renderer })];
    const receipts = await Promise.all(
      workers.map((worker, n) => attempt(worker, { store, shard, bundleDigest, batch: `batch-${n}` }).receipt),
    );
    for (const { copy, crc32c } of receipts) expect(await store.stat(copy)).toMatchObject({ crc32c });
    expect(new Set(receipts.map(({ crc32c }) => crc32c)).size).toBe(1);
    expect(receipts.map(({ outcome }) => outcome).sort()).toEqual(['rendered', 'reused']);
    expect(await names(store, 'damaged/')).toHaveLength(1);
  });
});

describe('an object in a folder', () => {
  const pathOf = ({ store, made }: Site): string => fileURLToPath(`${store.url}/${made.object}`);
  const recordOf = ({ store, made }: Site): string => fileURLToPath(`${store.url}/metadata/${made.object}.json`);

  test('whose record a killed process did not write any more is reused, and gets it', async () => {
    const site = await siteIn(folderStore);
    const written = await readFile(recordOf(site), 'utf8');
    await rm(recordOf(site));
    expect(await again(site)).toMatchObject({ outcome: 'reused', computations: 0 });
    expect(JSON.parse(await readFile(recordOf(site), 'utf8'))).toEqual(JSON.parse(written));
  });

  test('is made and reused where its record cannot be written', async () => {
    const site = await siteIn(folderStore);
    await rm(pathOf(site));
    await rm(recordOf(site));
    await mkdir(recordOf(site));
    for (const outcome of ['rendered', 'reused']) expect(await again(site)).toMatchObject({ outcome });
    expect(await names(site.store, 'damaged/')).toEqual([]);
  });

  test('that is a folder or a link is kept aside, and the picture is made', async () => {
    for (const put of [(path: string) => mkdir(path), (path: string) => symlink('/etc/hostname', path)]) {
      const site = await siteIn(folderStore);
      await rm(pathOf(site));
      await put(pathOf(site));
      expect(await again(site)).toMatchObject({ outcome: 'rendered', computations: 1, crc32c: site.made.crc32c });
    }
  });

  test('that was changed in place does not change the batches that come later', async () => {
    const site = await siteIn(folderStore);
    await chmod(pathOf(site), 0o644);
    await writeFile(pathOf(site), site.other);
    await expectMadeAnew(site, site.other);
    expect(await readRenderKey(await readFile(pathOf(site)))).toBe(job.renderKey);
  });

  test('that a person took away to have it rendered anew is not judged by the record of the one before', async () => {
    const site = await siteIn(folderStore);
    await rm(pathOf(site));
    expect(await again(site)).toMatchObject({ outcome: 'rendered' });
    expect(await again(site)).toMatchObject({ outcome: 'reused' });
    expect(await names(site.store, 'damaged/')).toEqual([]);
  });
});

test('a damaged object that a bucket does not let go fails its image, by its name, and no other attempt is made', async () => {
  const site = await siteIn(kinds[1]![1]);
  await exchange(site, site.other, NO_RECORD);
  const refusal = { error: { code: 403, message: "Object is subject to bucket's retention policy" } };
  const network = await startFaultyNetwork(emulator.endpoint, (label) =>
    label.startsWith('POST /upload/') ? { status: 403, body: refusal } : 'passes',
  );
  vi.stubEnv('STORAGE_EMULATOR_HOST', network.endpoint);
  onTestFinished(async () => {
    vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
    await network.stop();
  });
  const kept = createRenderImage({ captions: tinyCaptions, renderer, openStore: async (url) => new GcsStore(url) });
  const { receipt } = attempt(kept, { ...site, bundleDigest });
  await expect(receipt).rejects.toMatchObject({ type: 'ObjectConflict', nonRetryable: true });
  await expect(receipt).rejects.toThrow(`${site.made.object} is damaged (it has render key`);
  await expect(receipt).rejects.toThrow(/cannot be replaced: .*retention policy/);
});
