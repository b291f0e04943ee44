import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Size } from '../../domain/size.ts';
import { openBundle } from '../../models/pixart/index.ts';
import { chooseMicroBatch } from '../../workers/choose-micro-batch.ts';
import { type RenderConfig, renderConfig } from '../../workers/render-config.ts';

vi.setConfig({ testTimeout: 180_000 });

const TINY = fileURLToPath(new URL('../golden/bundles/tiny-velocity', import.meta.url));
const bundle = await openBundle(TINY);
const log = pino({ level: 'silent' });
const shape = { children: 1, threads: 1 };

const choose = (settings: Partial<RenderConfig>, sizes: Size[] = ['256'], signal = new AbortController().signal) => {
  const config = renderConfig({ bundle: TINY, device: 'cpu', sizes: [], graceSeconds: 0, ...settings });
  return chooseMicroBatch(config, { bundle, sizes, shape }, log, signal);
};

/** Nothing may be measured: that would be given up at once. */
const stopped = AbortSignal.abort(new Error('measured'));

test('a processor computes one image a call unless more are asked for', async () => {
  expect(await choose({}, ['256'], stopped)).toBe(1);
  expect(await choose({ microBatch: 6 }, ['256'], stopped)).toBe(6);
});

test('a size of which one image fills a call needs no measurement', async () => {
  expect(await choose({ microBatch: 'auto' }, ['2k'], stopped)).toBe(1);
});

test('auto measures once, and takes what it kept', async () => {
  const cache = await mkdtemp(path.join(tmpdir(), 'pixart-cache-'));
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(cache, { recursive: true });
  });
  vi.stubEnv('XDG_CACHE_HOME', cache);
  await expect(choose({ microBatch: 'auto' }, ['256'], stopped)).rejects.toThrow('measured');
  const chosen = await choose({ microBatch: 'auto' });
  expect([1, 2, 4, 8]).toContain(chosen);
  expect(await choose({ microBatch: 'auto' }, ['256'], stopped)).toBe(chosen);
});
