import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRenderImage } from '../../activities/render-image.ts';
import { createWriteManifest } from '../../activities/write-manifest.ts';
import { createWriteReceipts } from '../../activities/write-receipts.ts';
import { verifyBatch } from '../../client/index.ts';
import { openPictureSigner, type PictureSigner } from '../../credentials/picture-signer.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { readBatchRows } from '../../records/batch-rows.ts';
import { manifestName } from '../../records/layout.ts';
import { manifestSchema } from '../../records/manifest.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { attempt, BATCH, folderStore, planOf, tinyJob } from '../activities/rendering.ts';
import { chainIn } from '../credentials/chains.ts';
import { type TinyRenderer, tinyCaptions, tinyRenderer } from '../models/renderer/tiny-renderer.ts';

let folder: string;
let renderer: TinyRenderer;
let signer: PictureSigner;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixart-verify-signed-'));
  renderer = await tinyRenderer();
  const { name, digest } = renderer.bundle;
  signer = await openPictureSigner(await chainIn(folder), { name, digest, license: 'Apache-2.0' });
});

afterAll(async () => {
  await renderer.close();
  await rm(folder, { recursive: true });
});

/** A finished batch of two images; `round` is the number of its rounds. */
async function makeBatch(store: ObjectStore, round = 1): Promise<Receipt[]> {
  const { name, digest } = renderer.bundle;
  const jobs = ['fox', 'owl'].map((id, seed) => ({
    ...tinyJob(digest, { id, seed }),
    sign: 'without-prompt' as const,
  }));
  const shard = await planOf(store, jobs);
  const renderImage = createRenderImage({ captions: tinyCaptions, openStore, renderer, signer });
  const receipts: Receipt[] = [];
  for (const index of jobs.keys()) {
    receipts.push(await attempt(renderImage, { store, shard, index, bundleDigest: digest }).receipt);
  }
  const batch = { store: store.url, batch: BATCH, round };
  await createWriteReceipts(openStore)({ ...batch, shard: 0, outcomes: receipts });
  const startedAt = new Date(0).toISOString();
  const end = { ...batch, bundle: { name, digest }, state: 'completed' as const, startedAt, lostShards: [] };
  await createWriteManifest(openStore)(end);
  return receipts;
}

const verify = (store: ObjectStore, repair = false) => verifyBatch(BATCH, { store: store.url, repair });

test('manifest and tables have both checksums, and a signed copy is checked against its own', async () => {
  const store = await folderStore();
  const receipts = await makeBatch(store);
  const manifest = manifestSchema.parse(JSON.parse(Buffer.from(await store.read(manifestName(BATCH))).toString()));
  expect(manifest.images.map(({ crc32c, signed }) => ({ crc32c, signed }))).toEqual(
    receipts.map(({ crc32c, signed }) => ({ crc32c, signed })),
  );
  const rows = await readBatchRows(store, BATCH);
  expect(rows.map(({ crc32c, signed_crc32c, signed_bytes }) => [crc32c, signed_crc32c, signed_bytes])).toEqual(
    receipts.map(({ crc32c, signed }) => [crc32c, signed!.crc32c, signed!.bytes]),
  );
  expect(Buffer.from(await store.read(manifestName(BATCH, 'csv'))).toString()).toContain('"signed_bytes"');
  expect(await verify(store)).toMatchObject({ images: 2, differences: [] });
});

test.each(['copy', 'object'] as const)(
  'a damaged %s of a signed image is found, moved aside, and restored by another round',
  async (what) => {
    const store = await folderStore();
    const [fox, owl] = await makeBatch(store);
    const owls = await store.read(owl!.copy);
    await store.replace(fox![what], Buffer.from('damaged'), 'image/png');

    const found = await verify(store, true);
    expect(found.differences).toMatchObject([
      { id: 'fox', name: fox![what], fault: expect.stringContaining('7 bytes') },
    ]);
    expect(found.repaired).toEqual([{ id: 'fox', from: 'render' }]);
    const [again] = await makeBatch(store, 2);
    expect(await verify(store)).toMatchObject({ differences: [] });
    expect(again).toMatchObject({ crc32c: fox!.crc32c, outcome: what === 'copy' ? 'reused' : 'rendered' });
    expect(await store.read(owl!.copy)).toEqual(owls);
    const kept: string[] = [];
    for await (const { name } of store.list('damaged/')) kept.push(name);
    expect(kept.some((name) => name.startsWith(`damaged/${fox![what].replace('.png', '')}`))).toBe(true);
  },
);
