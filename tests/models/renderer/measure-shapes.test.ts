import { expect, test, vi } from 'vitest';
import { openBundle } from '../../../models/pixart/index.ts';
import { measureShapes } from '../../../models/renderer/index.ts';
import { TINY_BUNDLE } from './tiny-renderer.ts';

vi.setConfig({ testTimeout: 180_000 });

const shape = { children: 1, threads: 1 };

test('a shape is measured by what its processes really make', async () => {
  const bundle = await openBundle(TINY_BUNDLE);
  const measured = await measureShapes([shape], { bundle, size: '256' });
  expect(measured).toEqual({ shapes: [{ ...shape, imagesPerMinute: expect.any(Number) }], isWhole: true });
  expect(measured.shapes[0]!.imagesPerMinute).toBeGreaterThan(0);
});

test('a measurement that is stopped rejects with the reason and leaves no process', async () => {
  const bundle = await openBundle(TINY_BUNDLE);
  const stop = new AbortController();
  const reason = new Error('told to stop');
  const measuring = measureShapes([shape, { children: 2, threads: 1 }], { bundle, size: '256', signal: stop.signal });
  const hasChild = (): boolean => process.getActiveResourcesInfo().includes('ProcessWrap');
  await vi.waitUntil(hasChild, { timeout: 60_000 });
  stop.abort(reason);
  await expect(measuring).rejects.toBe(reason);
  await vi.waitUntil(() => !hasChild(), { timeout: 60_000 });
});
