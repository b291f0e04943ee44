import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createEncodeActivities } from '../../activities/index.ts';
import { createRenderImage } from '../../activities/render-image.ts';
import { NEVER_STOPS, WorkerStopping } from '../../activities/render-stop.ts';
import { simulatedRenderer } from '../../benchmarks/simulated-renderer.ts';
import { bundleRef, type CaptionEncoder } from '../../models/pixart/index.ts';
import { openStore, StoreUnavailable } from '../../store/index.ts';
import { STORE_SILENCE_SECONDS } from '../../workflows/contract/limits.ts';
import { Outage } from '../workflows/outage.ts';
import { captionScene, jobs, request } from './caption-scene.ts';
import { attempt, folderStore, planOf, tinyJob } from './rendering.ts';

test('a shard’s texts are encoded ahead, each once, however often it is run', async () => {
  const { store, newProcess, count, encodeAhead } = await captionScene();
  const shard = await planOf(store, jobs());
  expect(await encodeAhead(newProcess(), shard)).toEqual({ until: 4, encoded: 4 });
  expect(await encodeAhead(newProcess(), shard)).toEqual({ until: 4, encoded: 0 });
  expect(count.encoded).toBe(4);
  expect(await encodeAhead(newProcess(), shard, { from: 2, to: 3 })).toEqual({ until: 3, encoded: 0 });
});

test('the first call for a shard encodes few texts, so that images start early, and each later one doubles them', async () => {
  const { store, newProcess, encodeAhead } = await captionScene();
  const shard = await planOf(
    store,
    Array.from({ length: 40 }, (_, i) => request({ id: `job-${i}`, guidance: 1, seed: i })),
  );
  const ends: number[] = [];
  for (let from = 0; from < 40; from = ends.at(-1)!) {
    const found = await encodeAhead(newProcess(), shard, { from, to: 40 });
    ends.push(found.until);
  }
  expect(ends).toEqual([16, 32, 40]);
});

test('texts of images that exist are not encoded, unless an image lacked them', async () => {
  const { bundle, store, newProcess, count, encodeAhead } = await captionScene();
  const bundleDigest = bundleRef(bundle).digest;
  const planned = jobs().map((job) => tinyJob(bundleDigest, job));
  const shard = await planOf(store, planned);
  const renderer = simulatedRenderer({ bundle: bundleRef(bundle) });
  const elsewhere = await folderStore();
  const renderImage = createRenderImage({
    openStore,
    renderer,
    captions: (_store, ...asked) => newProcess().source(elsewhere, ...asked),
  });
  for (const index of [0, 2, 3]) await attempt(renderImage, { store, shard, index, bundleDigest }).receipt;
  count.encoded = 0;
  expect(await encodeAhead(newProcess(), shard)).toEqual({ until: 4, encoded: 2 });
  expect(count.encoded).toBe(2);
  // A worker that lacks them has found the image damaged.
  expect(await encodeAhead(newProcess(), shard, { isMissed: true })).toEqual({ until: 4, encoded: 2 });
});

test('work for another text encoder is refused for good, and work for an unreachable store can be retried', async () => {
  const { store, newProcess, encodeInput, encodeAhead } = await captionScene();
  const shard = await planOf(store, jobs());
  const other = encodeAhead(newProcess(), shard, { encoder: 'cd'.repeat(32) });
  await expect(other).rejects.toMatchObject({ type: 'EncoderMismatch', nonRetryable: true });
  const { encodeCaptions } = createEncodeActivities({
    openStore: async () => Promise.reject(new StoreUnavailable('503')),
    captions: newProcess(),
  });
  const input = encodeInput(newProcess(), shard);
  const away = new MockActivityEnvironment().run(encodeCaptions, input);
  await expect(away).rejects.toMatchObject({ type: 'StoreUnavailable', nonRetryable: false });
  await expect(away).rejects.toBeInstanceOf(ApplicationFailure);
});

test('heartbeats report a store that does not answer, and a cancelled attempt does not wait for it', async () => {
  const { store, newProcess, encodeInput } = await captionScene();
  const shard = await planOf(store, jobs());
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const outage = new Outage();
  outage.begin('captions/', 'hangs');
  const captions = newProcess();
  const { encodeCaptions } = createEncodeActivities({ openStore: outage.open, captions });
  const input = encodeInput(captions, shard);
  const environment = new MockActivityEnvironment();
  const beats: unknown[] = [];
  environment.on('heartbeat', (details) => beats.push(details));
  const encoding = environment.run(encodeCaptions, input);
  encoding.catch(() => {});
  while (outage.hanging === 0) await sleep(1);
  vi.advanceTimersByTime(2_000);
  expect(beats).toEqual([{ waitsFor: null }]);
  vi.advanceTimersByTime(1_000 * STORE_SILENCE_SECONDS);
  expect(beats.at(-1)).toEqual({ waitsFor: expect.stringContaining('has not answered for more than 10 seconds') });
  environment.cancel('CANCELLED');
  await expect(encoding).rejects.toBeInstanceOf(CancelledFailure);
});

test.each(['signal', 'drain'] as const)(
  'a worker that is stopping (%s) finishes the text in hand, and reports how far it got',
  async (by) => {
    const { networks, store, newProcess, encodeInput } = await captionScene();
    const shard = await planOf(store, jobs());
    const told = new AbortController();
    const stopping: CaptionEncoder['encode'] = (ids) => {
      told.abort();
      return networks.encode(ids);
    };
    const captions = newProcess({ encode: stopping });
    const stop = { ...NEVER_STOPS, [by]: told.signal };
    const { encodeCaptions } = createEncodeActivities({ openStore, captions, stop });
    const input = encodeInput(captions, shard);
    const found = await new MockActivityEnvironment().run(encodeCaptions, input);
    expect(found).toEqual({ until: 1, encoded: 2 });
  },
);

test('a text that is not encoded within the grace time is left to another worker', async () => {
  const { store, newProcess, encodeInput } = await captionScene();
  const shard = await planOf(store, jobs());
  const over = new AbortController();
  const hanging: CaptionEncoder['encode'] = () => {
    over.abort(new WorkerStopping());
    return new Promise(() => {});
  };
  const captions = newProcess({ encode: hanging });
  const stop = { ...NEVER_STOPS, signal: over.signal, over: over.signal };
  const { encodeCaptions } = createEncodeActivities({ openStore, captions, stop });
  const input = encodeInput(captions, shard);
  await expect(new MockActivityEnvironment().run(encodeCaptions, input)).rejects.toMatchObject({
    type: 'WorkerStopping',
  });
});
