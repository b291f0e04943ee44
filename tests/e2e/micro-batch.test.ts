import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { peakSignalToNoise } from '../../benchmarks/bench/pictures.ts';
import { batchEnd, cancelBatch, submitBatch } from '../../client/index.ts';
import {
  bundleRef,
  captionKey,
  encodeCaption,
  encoderDigest,
  openBundle,
  promptReader,
} from '../../models/pixart/index.ts';
import { captionName, manifestName } from '../../records/layout.ts';
import { type Manifest, manifestSchema } from '../../records/manifest.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { type Fleet, startFleet, untilComputing } from './fleet.ts';

// Several processes start and stop, and some dozen images are computed, each twice.
vi.setConfig({ testTimeout: 360_000, hookTimeout: 240_000 });

const LEAST_PSNR = 50;
const STEPS = 40;
/** As long as an image may take here, so that none ends before it is cancelled, on a quiet machine either. */
const LONG = '200,512,512,512';

let fleet: Fleet;

beforeAll(async () => {
  fleet = await startFleet(['--micro-batch', '4']);
});

afterAll(() => fleet.stop());

async function submit(name: string, rows: string[], store = fleet.store.url): Promise<string> {
  const catalog = path.join(fleet.bundleFolder, '..', `${name}.csv`);
  await writeFile(catalog, ['id,prompt,steps,size,width,height', ...rows].join('\n'));
  const bundle = bundleRef(await openBundle(fleet.bundleFolder));
  await submitBatch(fleet.client, { catalog, store, bundle, batch: name });
  return name;
}

async function manifestOf(store: ObjectStore, batch: string): Promise<Manifest> {
  return manifestSchema.parse(JSON.parse(Buffer.from(await store.read(manifestName(batch))).toString()));
}

/** Has a text's caption be one that no transformer can make anything finite of: a job that fails for itself alone. */
async function spoilCaption(text: string): Promise<void> {
  const bundle = await openBundle(fleet.bundleFolder);
  const { heads, headWidth } = bundle.description.transformer;
  const { ids } = (await promptReader(bundle)).read(text);
  const encoder = encoderDigest(bundle.description);
  const owner = { key: captionKey(encoder, ids), tokens: ids.length, width: heads * headWidth };
  const states = new Float32Array(owner.tokens * owner.width).fill(3e38);
  await fleet.store.replace(
    captionName(encoder, owner.key),
    encodeCaption(owner, { states, tokens: owner.tokens }),
    'application/octet-stream',
  );
}

const pixels = async (store: ObjectStore, name: string): Promise<Buffer> =>
  sharp(await store.read(name))
    .raw()
    .toBuffer();

const ROWS = [
  ...Array.from({ length: 8 }, (_, i) => `square-${i},a fox in the snow ${i},${STEPS},256,256,256`),
  ...Array.from({ length: 2 }, (_, i) => `wide-${i},a wide fox ${i},${STEPS},256,320,192`),
  ...Array.from({ length: 2 }, (_, i) => `large-${i},a large fox ${i},4,512,512,512`),
];
const BAD = `bad,nobody can draw this,${STEPS},256,256,256`;

test('a batch of mixed sizes loses nothing to a bad job, a cancelled batch or a killed child, and each image is what it is alone', async () => {
  await spoilCaption('nobody can draw this');
  const cancelled = await submit('cancelled', [`long-1,a long fox,${LONG}`, `long-2,another long fox,${LONG}`]);
  await untilComputing(fleet.client, cancelled);
  const mixed = await submit('mixed', [BAD, ...ROWS]);
  await untilComputing(fleet.client, mixed);
  await cancelBatch(fleet.client, cancelled);
  expect(await batchEnd(fleet.client, cancelled)).toMatchObject({ state: 'cancelled' });
  await untilComputing(fleet.client, mixed);
  process.kill(fleet.renderer.rendererPid, 'SIGKILL');
  expect(await batchEnd(fleet.client, mixed)).toMatchObject({ state: 'completed' });

  const { images, failures, totals } = await manifestOf(fleet.store, mixed);
  expect(totals).toMatchObject({ rendered: ROWS.length, failed: 1, cancelled: 0, extraComputations: 0 });
  expect(failures).toMatchObject([
    { id: 'bad', attempts: 1, reason: expect.stringMatching(/latents after step 1 of/) },
  ]);
  const shared = images.map(({ microBatch }) => microBatch ?? 1);
  console.log(`images that shared a call, by receipt: ${shared.join(', ')}`);
  // How many, depends on when the child was killed.
  expect(Math.max(...shared)).toBeGreaterThanOrEqual(2);
  expect(Math.max(...shared)).toBeLessThanOrEqual(4);
  expect(await manifestOf(fleet.store, cancelled)).toMatchObject({ totals: { rendered: 0, cancelled: 2 } });
  expect(fleet.renderer.lines.filter(({ msg }) => msg === 'renderer ready')).toHaveLength(2);

  // The same rows, one image a call.
  await fleet.renderer.kill('SIGTERM');
  await fleet.startRenderer();
  const store = await openStore(pathToFileURL(path.join(fleet.bundleFolder, '..', 'alone')).href);
  const alone = await submit('alone', ROWS, store.url);
  expect(await batchEnd(fleet.client, alone)).toMatchObject({ state: 'completed' });
  const single = new Map((await manifestOf(store, alone)).images.map((image) => [image.id, image]));
  const found = await Promise.all(
    images.map(async ({ id, object, renderKey }) => {
      expect(single.get(id)).toMatchObject({ renderKey });
      expect(single.get(id)!.microBatch).toBeUndefined();
      return peakSignalToNoise(await pixels(fleet.store, object), await pixels(store, single.get(id)!.object));
    }),
  );
  console.log(`PSNR to the same image alone: ${found.map((decibels) => decibels.toFixed(1)).join(', ')}`);
  for (const decibels of found) expect(decibels).toBeGreaterThanOrEqual(LEAST_PSNR);
});
