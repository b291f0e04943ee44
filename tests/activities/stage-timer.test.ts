import { expect, test, vi } from 'vitest';
import { StageTimer } from '../../activities/stage-timer.ts';

const NONE = { waitMs: 0, textEncodeMs: 0, denoiseMs: 0, decodeMs: 0, imageEncodeMs: 0, storeMs: 0 };

test('a stage that comes twice is heard of twice, and its times are summed up', async () => {
  const heard: [string, number][] = [];
  const timer = new StageTimer((stage, startMs, endMs) => heard.push([stage, endMs - startMs]));
  expect(await timer.measure('store', async () => 'object')).toBe('object');
  await timer.measure('store', async () => 'copy');
  expect(heard.map(([stage]) => stage)).toEqual(['store', 'store']);
  expect(timer.timings).toEqual({ ...NONE, storeMs: heard[0]![1] + heard[1]![1] });
});

test('work that fails is no stage', async () => {
  const listener = vi.fn();
  const timer = new StageTimer(listener);
  await expect(timer.measure('store', () => Promise.reject(new Error('full')))).rejects.toThrow('full');
  expect(listener).not.toHaveBeenCalled();
  expect(timer.timings).toEqual(NONE);
});

test('what another process measured follows one after the other, in the order of the stages', () => {
  const heard: unknown[] = [];
  const timer = new StageTimer((...stage) => heard.push(stage));
  timer.add(100, { decodeMs: 4, waitMs: 1, denoiseMs: 3, textEncodeMs: 2 });
  expect(heard).toEqual([
    ['wait', 100, 101],
    ['text_encode', 101, 103],
    ['denoise', 103, 106],
    ['decode', 106, 110],
  ]);
  expect(timer.timings).toEqual({ ...NONE, waitMs: 1, textEncodeMs: 2, denoiseMs: 3, decodeMs: 4 });
});

test('what an image had of the device is no stage', () => {
  const listener = vi.fn();
  const timer = new StageTimer(listener);
  timer.charge(7);
  expect(timer.timings).toEqual({ ...NONE, deviceMs: 7 });
  expect(listener).not.toHaveBeenCalled();
});
