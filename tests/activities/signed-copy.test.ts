import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createRenderImage } from '../../activities/render-image.ts';
import { openPictureSigner, type PictureSigner } from '../../credentials/picture-signer.ts';
import { readCredential } from '../../credentials/read-credential.ts';
import { IMAGE_FORMATS } from '../../domain/image-format.ts';
import type { Job } from '../../domain/job.ts';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { crc32c } from '../../store/crc32c.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { type ListedObject, USE_NOTED_MS } from '../../store/object-store.ts';
import { chainIn } from '../credentials/chains.ts';
import { type TinyRenderer, tinyCaptions, tinyRenderer } from '../models/renderer/tiny-renderer.ts';
import { attempt, folderStore, planOf, tinyJob } from './rendering.ts';

let folder: string;
let renderer: TinyRenderer;
let emulator: BucketEmulator;
let signer: PictureSigner;
let buckets = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixart-signed-'));
  renderer = await tinyRenderer();
  const { name, digest } = renderer.bundle;
  signer = await openPictureSigner(await chainIn(folder), { name, digest, license: 'Apache-2.0' });
  emulator = await startBucketEmulator();
  await emulator.createBucket('pixart-test');
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await emulator.stop();
  await renderer.close();
  await rm(folder, { recursive: true });
});

const PLACES: [string, () => Promise<ObjectStore>][] = [
  ['a folder', folderStore],
  ['a bucket', () => openStore(`gs://pixart-test/signed ${buckets++}`)],
];

const signedJob = (changes: Partial<Job> = {}): Job => ({
  ...tinyJob(renderer.bundle.digest),
  sign: 'without-prompt',
  ...changes,
});

function render(store: ObjectStore, shard: string, using: PictureSigner | undefined = signer, batch = 'night') {
  const renderImage = createRenderImage({ captions: tinyCaptions, openStore, renderer, signer: using });
  return attempt(renderImage, { store, shard, batch, bundleDigest: renderer.bundle.digest }).receipt;
}

const contentOf = (file: Uint8Array) => ({ bytes: file.length, crc32c: crc32c(file) });

test.each(PLACES)(
  "in %s a batch's own copy is signed, and the shared object is as it would be otherwise",
  async (_, place) => {
    const [store, other] = [await place(), await folderStore()];
    const job = signedJob();
    const receipt = await render(store, await planOf(store, [job]));
    const { sign, ...unsigned } = job;
    const plain = await render(other, await planOf(other, [unsigned]));

    const [object, copy] = [await store.read(receipt.object), await store.read(receipt.copy)];
    expect(object).toEqual(await other.read(plain.object));
    expect(receipt).toMatchObject({ ...contentOf(object), signed: contentOf(copy) });
    expect(plain.signed).toBeUndefined();
    expect(await readCredential(object)).toBeNull();
    expect(await readCredential(copy)).toMatchObject({
      fault: null,
      statement: { model: { name: renderer.bundle.name }, renderKey: job.renderKey, object: contentOf(object) },
    });
  },
);

test.each(PLACES)(
  'in %s what is signed is not signed again, unless something else took its place',
  async (_, place) => {
    const store = await place();
    const shard = await planOf(store, [signedJob()]);
    const first = await render(store, shard);
    const copy = await store.read(first.copy);
    const again = await render(store, shard);
    expect(again).toMatchObject({ outcome: 'reused', signed: first.signed });
    expect(await store.read(again.copy)).toEqual(copy);

    await store.replace(first.copy, Buffer.from('something else'), 'image/png');
    const mended = await render(store, shard);
    expect(contentOf(await store.read(mended.copy))).toEqual(mended.signed);
    expect(mended.signed).not.toEqual(first.signed);
    // Another batch signs its own, and renders nothing.
    const another = await render(store, shard, signer, 'another');
    expect(another).toMatchObject({ outcome: 'reused', object: first.object, crc32c: first.crc32c });
    expect(another.signed).not.toEqual(first.signed);
  },
);

/** Of a bucket tests/store tells the same of noteUse: the emulator alone passes over conditions. */
test('an object that is signed for a batch is not cleaned away meanwhile', async () => {
  const store = await folderStore();
  const shard = await planOf(store, [signedJob()]);
  const { object } = await render(store, shard);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + USE_NOTED_MS });
  try {
    const listed: ListedObject[] = [];
    for await (const found of store.list('objects/')) listed.push(found);
    await render(store, shard, signer, 'another');
    for (const found of listed) expect(await store.removeVersion(found, found.uses)).toBe(false);
    expect(await store.stat(object)).not.toBeNull();
  } finally {
    vi.useRealTimers();
  }
});

test('all formats are signed, with the prompt where the batch wants it', async () => {
  for (const format of IMAGE_FORMATS) {
    const store = await folderStore();
    const quality = format === 'png' ? null : 80;
    const job = { ...tinyJob(renderer.bundle.digest, { format, quality }), sign: 'with-prompt' as const };
    const { copy } = await render(store, await planOf(store, [job]));
    const { prompt, negativePrompt } = job;
    expect(await readCredential(await store.read(copy))).toMatchObject({
      fault: null,
      statement: { prompt, negativePrompt },
    });
  }
});

test('without a key nothing is rendered; the image waits for a worker that has one, and says so', async () => {
  const store = await folderStore();
  const shard = await planOf(store, [signedJob()]);
  const renderImage = createRenderImage({ captions: tinyCaptions, openStore, renderer });
  const { receipt, heartbeats } = attempt(renderImage, { store, shard, bundleDigest: renderer.bundle.digest });
  await expect(receipt).rejects.toMatchObject({
    type: 'CannotSign',
    nonRetryable: false,
    message: expect.stringContaining('start render workers with --sign-with and --sign-as'),
  });
  expect(heartbeats).toMatchObject([{ computations: 0 }]);
  expect((await render(store, shard)).computations).toBe(1);
});

test('where a certificate runs out in the night, images wait, and what was made is not made again', async () => {
  const store = await folderStore();
  const shard = await planOf(store, [signedJob()]);
  const { key, certificates } = await chainIn(folder, { to: 1 });
  const { name, digest } = renderer.bundle;
  const short = await openPictureSigner({ key, certificates }, { name, digest, license: '' });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 86_400_000 });
  try {
    const late = expect(render(store, shard, short)).rejects;
    await late.toMatchObject({
      type: 'CannotSign',
      nonRetryable: false,
      message: expect.stringContaining('valid now'),
    });
  } finally {
    vi.useRealTimers();
  }
  expect(await render(store, shard)).toMatchObject({ outcome: 'reused', computations: 0 });
});
