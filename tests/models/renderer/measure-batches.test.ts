import { expect, test, vi } from 'vitest';
import { openBundle } from '../../../models/pixart/index.ts';
import { candidateBatches, chosenBatch, imagesAtOnce, measureBatches } from '../../../models/renderer/index.ts';
import { TINY_BUNDLE } from './tiny-renderer.ts';

vi.setConfig({ testTimeout: 180_000 });

const bundle = await openBundle(TINY_BUNDLE);
const pool = { device: 'cpu', children: 1, threads: 1 } as const;

test('batches are measured by what a renderer really makes, until a larger one is no faster', async () => {
  const { batches, isWhole } = await measureBatches([1, 2, 4], { bundle, size: '256', ...pool });
  expect(isWhole).toBe(true);
  expect(batches.map(({ images }) => images)).toEqual([1, 2, 4].slice(0, batches.length));
  for (const { imagesPerMinute } of batches) expect(imagesPerMinute).toBeGreaterThan(0);
  const isEnd = batches.length === 3 || chosenBatch(batches)!.images !== batches.at(-1)!.images;
  expect(isEnd).toBe(true);
});

test('candidates are what a call has room for', () => {
  expect(candidateBatches('256', bundle, 8)).toEqual([1, 2, 4, 8]);
  expect(candidateBatches('256', bundle, 5)).toEqual([1, 2, 4]);
  expect(candidateBatches('1024', bundle, 8)).toEqual([1, 2]);
  expect(candidateBatches('2k', bundle, 8)).toEqual([1]);
});

test('a child has as many images of a size at once as share its calls', () => {
  const microBatch = { images: 8, description: bundle.description };
  const sizes = ['256', '512', '1024', '2k', '4k'] as const;
  expect(sizes.map((size) => imagesAtOnce(size, microBatch))).toEqual([8, 8, 2, 1, 1]);
});

test('a larger batch has to be worth it', () => {
  const rated = (images: number, imagesPerMinute: number) => ({ images, imagesPerMinute });
  expect(chosenBatch([rated(1, 10), rated(2, 10.4), rated(4, 20), rated(8, 20.5)])?.images).toBe(4);
  expect(chosenBatch([])).toBeUndefined();
});

test('a measurement that is stopped rejects with the reason and leaves no process', async () => {
  const stop = new AbortController();
  const reason = new Error('told to stop');
  const measuring = measureBatches([1, 2], { bundle, size: '256', ...pool, signal: stop.signal });
  const hasChild = (): boolean => process.getActiveResourcesInfo().includes('ProcessWrap');
  await vi.waitUntil(hasChild, { timeout: 60_000 });
  stop.abort(reason);
  await expect(measuring).rejects.toBe(reason);
  await vi.waitUntil(() => !hasChild(), { timeout: 60_000 });
});
