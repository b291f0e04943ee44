import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { batchEnd, cancelBatch } from '../../client/index.ts';
import { manifestName } from '../../records/layout.ts';
import { manifestSchema } from '../../records/manifest.ts';
import { type Fleet, startFleet, untilComputing } from './fleet.ts';

// Several processes start and stop in each test.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

let fleet: Fleet;

beforeAll(async () => {
  fleet = await startFleet();
});

afterAll(() => fleet.stop());

async function manifestOf(batch: string) {
  return manifestSchema.parse(JSON.parse(Buffer.from(await fleet.store.read(manifestName(batch))).toString()));
}

test('a cancelled batch stops the image that is being computed, and the same child goes on with the next batch', async () => {
  const batch = await fleet.submit([200, 200, 200], '1024');
  await untilComputing(fleet.client, batch);
  const cancelled = performance.now();
  await cancelBatch(fleet.client, batch);
  expect(await batchEnd(fleet.client, batch)).toEqual({ state: 'cancelled', sheetPage: expect.any(String) });
  console.log(`the batch had ended ${Math.round(performance.now() - cancelled)} ms after it was cancelled`);
  expect(await manifestOf(batch)).toMatchObject({ state: 'cancelled', images: [], totals: { cancelled: 3 } });

  const next = await fleet.submit([2]);
  expect(await batchEnd(fleet.client, next)).toMatchObject({ state: 'completed', result: { totals: { rendered: 1 } } });
  expect(fleet.renderer.lines.filter(({ msg }) => msg === 'renderer ready')).toHaveLength(1);
});

test('a worker that is told to stop finishes the image in hand', async () => {
  const batch = await fleet.submit([100], '512');
  await untilComputing(fleet.client, batch);
  expect(await fleet.renderer.kill('SIGTERM')).toBe(0);
  expect(await batchEnd(fleet.client, batch)).toMatchObject({
    state: 'completed',
    result: { totals: { rendered: 1 } },
  });
  expect((await manifestOf(batch)).images).toMatchObject([{ computations: 1 }]);
  await fleet.startRenderer(15);
});

test('an image that cannot be finished within the grace time is handed back at once, and another worker continues it', async () => {
  const batch = await fleet.submit([200], '1024');
  await untilComputing(fleet.client, batch);
  const first = fleet.renderer;
  await fleet.startRenderer();
  const told = performance.now();
  expect(await first.kill('SIGTERM')).toBe(0);
  await fleet.renderer.said('resuming from a checkpoint');
  console.log(`another worker went on ${Math.round(performance.now() - told)} ms after SIGTERM, with 15 s of grace`);
  await untilComputing(fleet.client, batch, 2);
  // Whoever was told to stop had done a step at least, and kept it.
  expect(fleet.renderer.wentOnAt).toEqual([expect.any(Number)]);
  expect(fleet.renderer.wentOnAt[0]).toBeGreaterThan(0);
  await cancelBatch(fleet.client, batch);
  expect(await batchEnd(fleet.client, batch)).toEqual({ state: 'cancelled', sheetPage: expect.any(String) });
});

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
test.skipIf(!isRoot)(
  'a worker that keeps a picture since the disk is full ends at once when it is told to (needs root, to mount a small file system)',
  async () => {
    const folder = path.join(fleet.bundleFolder, '..', 'small');
    const filler = path.join(folder, 'filler');
    await mkdir(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
    try {
      const batch = await fleet.submit([100], '512', pathToFileURL(folder).href);
      await untilComputing(fleet.client, batch);
      await expect(writeFile(filler, Buffer.alloc(2 ** 20))).rejects.toThrow('ENOSPC');
      await fleet.renderer.said('the store refused an image; it is held in memory and retried');
      expect(await fleet.renderer.kill('SIGTERM')).toBe(0);
      await rm(filler);
      await fleet.startRenderer();
      expect(await batchEnd(fleet.client, batch)).toMatchObject({
        state: 'completed',
        result: { totals: { rendered: 1, extraComputations: 1 } },
      });
    } finally {
      execFileSync('umount', ['--lazy', folder]);
    }
  },
);

test('a worker whose bundle was damaged ends with an error, and its image waits for another worker', async () => {
  await appendFile(path.join(fleet.bundleFolder, 'vae_decoder.onnx'), 'x');
  process.kill(fleet.renderer.rendererPid, 'SIGKILL');
  const batch = await fleet.submit([2]);
  expect(await fleet.renderer.gone()).toBe(EXIT.badInput);
  expect(JSON.stringify(fleet.renderer.lines)).toContain('vae_decoder.onnx: expected');
  await cancelBatch(fleet.client, batch);
  expect(await batchEnd(fleet.client, batch)).toEqual({ state: 'cancelled', sheetPage: expect.any(String) });
  expect((await manifestOf(batch)).failures).toEqual([]);
});
