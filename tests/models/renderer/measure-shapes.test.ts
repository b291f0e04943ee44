import { expect, test, vi } from 'vitest';
import { openBundle } from '../../../models/pixart/index.ts';
import { measureShapes } from '../../../models/renderer/index.ts';
import { wasDisturbed } from '../../../models/renderer/measure-shapes.ts';
import { TINY_BUNDLE } from './tiny-renderer.ts';

vi.setConfig({ testTimeout: 180_000 });

const shape = { children: 1, threads: 1 };

test('a shape is measured by what its processes really make', async () => {
  const bundle = await openBundle(TINY_BUNDLE);
  const measured = await measureShapes([shape], { bundle, size: '256' });
  expect(measured).toEqual({
    shapes: [{ ...shape, imagesPerMinute: expect.any(Number) }],
    isWhole: expect.any(Boolean),
  });
  expect(measured.shapes[0]!.imagesPerMinute).toBeGreaterThan(0);
});

test('others are seen by what one thread lacks of the processor', () => {
  const image = (processorMs: number) => ({ timings: { denoiseMs: 800, decodeMs: 200 }, processorMs });
  expect(wasDisturbed(shape, [image(950), image(1_000)])).toBe(false);
  expect(wasDisturbed(shape, [image(950), image(700)])).toBe(true);
  expect(wasDisturbed({ children: 1, threads: 2 }, [image(700)])).toBe(false);
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
