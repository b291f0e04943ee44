import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { countsFor } from '../../activities/attempts.ts';
import { HeldPictures } from '../../activities/held-pictures.ts';
import { createRenderImage } from '../../activities/render-image.ts';
import { NEVER_STOPS } from '../../activities/render-stop.ts';
import { simulatedCaptions, simulatedRenderer } from '../../benchmarks/simulated-renderer.ts';
import { objectName } from '../../records/layout.ts';
import { type ObjectStore, type OpenStore, StoreUnavailable } from '../../store/index.ts';
import { STORING_HOURS } from '../../workflows/contract/limits.ts';
import { Outage } from '../workflows/outage.ts';
import { BUNDLE } from '../workflows/site.ts';
import { attempt, folderStore, planOf, tinyJob } from './rendering.ts';

const bundleDigest = BUNDLE.digest;
const job = tinyJob(bundleDigest);
const object = objectName(job.renderKey, job.format);

let outage: Outage;
let held: HeldPictures;
let store: ObjectStore;
let computed: number;
let tellWorker: AbortController;
let drainWorker: AbortController;

beforeEach(async () => {
  outage = new Outage();
  held = new HeldPictures({ firstPauseMs: 1 });
  store = await folderStore();
  computed = 0;
  tellWorker = new AbortController();
  drainWorker = new AbortController();
});

async function begin(graceMs = 600_000) {
  const stop = { ...NEVER_STOPS, signal: tellWorker.signal, graceMs, drain: drainWorker.signal };
  const before = (): void => {
    computed += 1;
  };
  const renderer = simulatedRenderer({ bundle: BUNDLE, before });
  const renderImage = createRenderImage({ captions: simulatedCaptions, openStore: outage.open, renderer, held, stop });
  return attempt(renderImage, { store, shard: await planOf(store, [job]), bundleDigest });
}

const isHeld = () => expect.poll(() => held.count('256')).toBe(1);

test('a picture that its store refuses is stored later by the attempt that made it, and its times tell nothing of the wait', async () => {
  outage.begin('objects/', 'full');
  const { receipt, heartbeats } = await begin();
  await isHeld();
  expect(heartbeats.at(-1)).toMatchObject({ computations: 1, waitsFor: 'the disk is full' });
  outage.end('objects/');
  expect(await receipt).toMatchObject({ outcome: 'rendered', computations: 1 });
  expect(held.count('256')).toBe(0);
  expect(computed).toBe(1);
});

test('a picture that is kept for its store is waited for by a worker that drains', async () => {
  outage.begin('objects/', 'full');
  const { receipt } = await begin();
  await isHeld();
  drainWorker.abort();
  outage.end('objects/');
  expect(await receipt).toMatchObject({ outcome: 'rendered', computations: 1 });
});

test('a store that never answers is told of while it is asked, and no more once it has answered', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  outage.begin(object, 'hangs');
  const { receipt, heartbeats } = await begin();
  await vi.waitUntil(() => outage.hanging === 1);
  await vi.advanceTimersByTimeAsync(11_000);
  const silence = `store ${store.url}: it has not answered for more than 10 seconds`;
  expect(heartbeats.at(-1)).toMatchObject({ computations: 0, waitsFor: silence });
  outage.answer();
  await vi.waitUntil(() => outage.hanging === 1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(heartbeats.at(-1)).not.toHaveProperty('waitsFor');
  await vi.advanceTimersByTimeAsync(11_000);
  expect(heartbeats.at(-1)).toMatchObject({ computations: 1, waitsFor: silence });
  outage.end(object);
  outage.answer();
  expect(await receipt).toMatchObject({ outcome: 'rendered', computations: 1 });
});

test('what the store says reaches no heartbeat with a token in it', async () => {
  outage.begin('objects/', 'full', 'status 503, token=tops3cret-0123456789');
  const { receipt, heartbeats } = await begin();
  await isHeld();
  expect(heartbeats.at(-1)).toMatchObject({ waitsFor: 'status 503, token=…' });
  outage.end('objects/');
  await receipt;
});

test('an object that goes away before it is copied is made again from the picture', async () => {
  outage.begin('batches/night/fox', 'full');
  const { receipt } = await begin();
  await isHeld();
  await store.remove(object);
  outage.end('batches/night/fox');
  expect(await receipt).toMatchObject({ outcome: 'rendered', computations: 1 });
  expect(await store.stat(object)).not.toBeNull();
  expect(computed).toBe(1);
});

test('a picture that its store took and said that it refused is no extra computation', async () => {
  const refused = new Set<string>();
  const openStore: OpenStore = async (url) => {
    const real = await outage.open(url);
    const create: ObjectStore['create'] = async (name, ...content) => {
      const created = await real.create(name, ...content);
      if (refused.has(name)) return created;
      refused.add(name);
      throw new StoreUnavailable('the connection was reset');
    };
    return new Proxy(real, { get: (_, name) => (name === 'create' ? create : Reflect.get(real, name)) });
  };
  const renderImage = createRenderImage({
    captions: simulatedCaptions,
    openStore,
    renderer: simulatedRenderer({ bundle: BUNDLE }),
    held,
  });
  const { receipt } = attempt(renderImage, { store, shard: await planOf(store, [job]), bundleDigest });
  expect(await receipt).toMatchObject({ outcome: 'rendered', computations: 1 });
});

test('a copy that is refused is tried again for a picture that was there already', async () => {
  await (await begin()).receipt;
  await store.remove('batches/night/fox.png');
  outage.begin('batches/night/fox', 'full');
  const { receipt } = await begin();
  await isHeld();
  outage.end('batches/night/fox');
  expect(await receipt).toMatchObject({ outcome: 'reused', computations: 0 });
});

test('a picture that was found and goes away before it is copied is made in the same attempt', async () => {
  await (await begin()).receipt;
  await store.remove('batches/night/fox.png');
  outage.begin('batches/night/fox', 'full');
  const { receipt } = await begin();
  await isHeld();
  await store.remove(object);
  outage.end('batches/night/fox');
  expect(await receipt).toMatchObject({ outcome: 'rendered', computations: 1 });
});

test('a worker that is told to stop hands the picture back at once, whatever its grace time, and tells what was computed', async () => {
  outage.begin('objects/', 'full');
  const { receipt, heartbeats } = await begin();
  await isHeld();
  tellWorker.abort();
  await expect(receipt).rejects.toMatchObject({ type: 'WorkerStopping', nonRetryable: false });
  const attempts = { ...countsFor(1, undefined), isOver: true };
  expect(heartbeats.at(-1)).toEqual({ id: 'fox', computations: 1, stepsComputed: 4, step: 4, steps: 4, attempts });
  expect(held.count('256')).toBe(0);
});

test('a store that takes the picture and never answers does not hold up a worker that is told to stop', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  outage.begin(object, 'hangs');
  const { receipt } = await begin(0);
  await vi.waitUntil(() => outage.hanging === 1);
  // The one that looks whether the picture is there; the next call is the one that stores it.
  outage.answer();
  await vi.waitUntil(() => outage.hanging === 1);
  tellWorker.abort();
  await vi.advanceTimersByTimeAsync(5_000);
  await expect(receipt).rejects.toMatchObject({ type: 'WorkerStopping' });
});

test('a cancelled image ends its wait, and its cancellation tells what was computed', async () => {
  outage.begin('objects/', 'full');
  const { receipt, environment } = await begin();
  await isHeld();
  environment.cancel('CANCELLED');
  await expect(receipt).rejects.toMatchObject({
    ...{ name: 'CancelledFailure', details: [{ computations: 1, stepsComputed: 4 }] },
  });
});

test('a picture that its store has not taken for a day is given up for good', async () => {
  outage.begin('objects/', 'full');
  const { receipt } = await begin();
  await isHeld();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 * STORING_HOURS + 1 });
  onTestFinished(() => void vi.useRealTimers());
  await expect(receipt).rejects.toMatchObject({ type: 'NotStored', nonRetryable: true });
  await expect(receipt).rejects.toThrow('for 24 hours: the disk is full');
  expect(computed).toBe(1);
});

test('a name that the store cannot have is final at once', async () => {
  const refusing = createRenderImage({
    captions: simulatedCaptions,
    renderer: simulatedRenderer({ bundle: BUNDLE }),
    openStore: outage.open,
    held,
  });
  const batch = 'n'.repeat(300);
  const shard = await planOf(store, [job]);
  const { receipt } = attempt(refusing, { store, shard, bundleDigest, batch });
  await expect(receipt).rejects.toMatchObject({ type: 'UserError', nonRetryable: true });
  expect(held.count('256')).toBe(0);
});
