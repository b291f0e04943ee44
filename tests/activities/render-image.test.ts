import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { CaptionSource } from '../../activities/index.ts';
import { createRenderImage } from '../../activities/render-image.ts';
import { receiptSchema } from '../../domain/receipt.ts';
import { readRenderKey } from '../../images/index.ts';
import { objectName } from '../../records/layout.ts';
import { gcsError } from '../../store/gcs-errors.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import type { RenderActivities } from '../../workflows/contract/activities.ts';
import { type TinyRenderer, tinyCaptions, tinyRenderer } from '../models/renderer/tiny-renderer.ts';
import { type Attempt, attempt, folderStore, planOf, tinyJob } from './rendering.ts';

/** Steps of an image that is interrupted: the most that the tiny bundle's schedule has. */
const LONG = 999;

/** Steps of an image that is finished, after something has happened in the middle of it. */
const SOME = 60;

/** Waits until a heartbeat tells of a step. They come with the steps here: by the clock, an image would have to take seconds. */
async function untilComputing({ heartbeats }: Attempt): Promise<void> {
  while (!heartbeats.some(({ step }) => step > 0)) {
    vi.advanceTimersByTime(500);
    await sleep(1);
  }
}

function makeHeartbeatsCome(): void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
}

let renderer: TinyRenderer;
let renderImage: RenderActivities['renderImage'];
let store: ObjectStore;
let bundleDigest: string;

beforeAll(async () => {
  renderer = await tinyRenderer();
  bundleDigest = renderer.bundle.digest;
});

beforeEach(async () => {
  renderImage = createRenderImage({ captions: tinyCaptions, openStore, renderer, deviceName: 'GPU A' });
  store = await folderStore();
});

afterAll(() => renderer.close());

async function objects(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of store.list('objects/')) names.push(name);
  return names;
}

test('a job is rendered into one object and the batch gets its copy', async () => {
  const job = tinyJob(bundleDigest);
  const { receipt } = attempt(renderImage, { store, shard: await planOf(store, [job]), bundleDigest });
  const found = receiptSchema.parse(await receipt);
  expect(found).toMatchObject({
    ...{ id: 'fox', outcome: 'rendered', computations: 1, copy: 'batches/night/fox.png', device: 'GPU A' },
  });
  const { denoiseMs, decodeMs, deviceMs } = found.timings;
  expect(deviceMs).toBeCloseTo(denoiseMs + decodeMs);
  expect(await objects()).toEqual([objectName(job.renderKey, 'png')]);
  expect(await store.stat(found.object)).toMatchObject({ bytes: found.bytes, crc32c: found.crc32c });
  expect(Buffer.compare(await store.read(found.copy), await store.read(found.object))).toBe(0);
});

test('an object that goes away after it was found is rendered anew by the same attempt', async () => {
  const shard = await planOf(store, [tinyJob(bundleDigest)]);
  const first = await attempt(renderImage, { store, shard, bundleDigest }).receipt;
  let isFound = false;
  const find = async (name: string) => {
    const found = await store.find(name);
    if (found !== null && !isFound) await store.removeVersion(found);
    isFound ||= found !== null;
    return found;
  };
  const vanishing = new Proxy(store, {
    get: (target, key) => {
      const value = key === 'find' ? find : Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const swept = createRenderImage({ captions: tinyCaptions, openStore: async () => vanishing, renderer });
  const found = await attempt(swept, { store, shard, bundleDigest, batch: 'later' }).receipt;
  expect(isFound).toBe(true);
  expect(found).toMatchObject({ outcome: 'rendered', computations: 1, object: first.object, crc32c: first.crc32c });
  for (const name of [found.object, found.copy]) expect(await store.stat(name)).toMatchObject({ crc32c: first.crc32c });
});

test('an image is charged with what the encoder computed for it, and not with its wait for the captions', async () => {
  const captions: CaptionSource = async (...asked) => {
    const encode = await tinyCaptions(...asked);
    return (onEncoded) => {
      onEncoded?.(1_000_000);
      onEncoded?.(2_000_000);
      return encode();
    };
  };
  const charged = createRenderImage({ captions, openStore, renderer });
  const shard = await planOf(store, [tinyJob(bundleDigest)]);
  const { timings } = await attempt(charged, { store, shard, bundleDigest }).receipt;
  expect(timings.deviceMs).toBeCloseTo(3_000_000 + timings.denoiseMs + timings.decodeMs);
  expect(timings.textEncodeMs).toBeLessThan(3_000_000);
});

test('an image that is there already is reused, and copied into the other batch', async () => {
  const shard = await planOf(store, [tinyJob(bundleDigest)]);
  const first = await attempt(renderImage, { store, shard, bundleDigest }).receipt;
  const second = attempt(renderImage, { store, shard, bundleDigest, batch: 'morning' });
  expect(await second.receipt).toMatchObject({
    outcome: 'reused',
    computations: 0,
    crc32c: first.crc32c,
    copy: 'batches/morning/fox.png',
    timings: { waitMs: 0, denoiseMs: 0 },
  });
  expect((await second.receipt).device).toBeUndefined();
  expect(second.heartbeats).toEqual([]);
  expect(await store.stat('batches/morning/fox.png')).not.toBeNull();
});

test('rows with the same render key that arrive together are computed once', async () => {
  const shard = await planOf(store, [tinyJob(bundleDigest, { id: 'one' }), tinyJob(bundleDigest, { id: 'two' })]);
  const receipts = await Promise.all(
    [0, 1].map((index) => attempt(renderImage, { store, shard, index, bundleDigest }).receipt),
  );
  expect(receipts.map(({ id, outcome, computations }) => [id, outcome, computations])).toEqual([
    ['one', 'rendered', 1],
    ['two', 'reused', 0],
  ]);
});

test('heartbeats tell how far an image is', async () => {
  makeHeartbeatsCome();
  const shard = await planOf(store, [tinyJob(bundleDigest, { steps: SOME })]);
  const image = attempt(renderImage, { store, shard, bundleDigest });
  await untilComputing(image);
  await image.receipt;
  const heartbeats = image.heartbeats.filter(({ computations }) => computations > 0);
  for (const beat of heartbeats) expect(beat).toMatchObject({ computations: 1, steps: SOME });
  const steps = heartbeats.map(({ step }) => step);
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  expect(steps.at(-1)).toBeGreaterThan(0);
});

test('a job that waits for the device heartbeats too, and counts no computation before its turn', async () => {
  const long = ['long', 'longer', 'longest'].map((id, seed) => tinyJob(bundleDigest, { id, seed, steps: LONG }));
  const shard = await planOf(store, [...long, tinyJob(bundleDigest)]);
  const before = long.map((_, index) => attempt(renderImage, { store, shard, index, bundleDigest }));
  await once(before[0]!.environment, 'heartbeat');
  const waiting = attempt(renderImage, { store, shard, index: 3, bundleDigest });
  await once(waiting.environment, 'heartbeat');
  expect(waiting.heartbeats).toMatchObject([{ computations: 0, stepsComputed: 0, step: 0, steps: 0 }]);
  for (const { environment } of before) environment.cancel('CANCELLED');
  expect(await waiting.receipt).toMatchObject({ outcome: 'rendered', computations: 1 });
});

test('a computation that an earlier attempt had begun is counted', async () => {
  const shard = await planOf(store, [tinyJob(bundleDigest)]);
  const lost = { computations: 1, step: 2, steps: 4 };
  const { receipt } = attempt(renderImage, { store, shard, bundleDigest }, { attempt: 2, heartbeatDetails: lost });
  expect(await receipt).toMatchObject({ outcome: 'rendered', computations: 2 });
});

test('an attempt that was lost after it had stored its image leaves the next one nothing to compute', async () => {
  const shard = await planOf(store, [tinyJob(bundleDigest)]);
  await attempt(renderImage, { store, shard, bundleDigest }).receipt;
  const lost = { computations: 1, step: 4, steps: 4 };
  const { receipt } = attempt(renderImage, { store, shard, bundleDigest }, { attempt: 2, heartbeatDetails: lost });
  expect(await receipt).toMatchObject({ outcome: 'rendered', computations: 1 });
});

test('where another worker is faster, its object stays and the receipt is about that one', async () => {
  makeHeartbeatsCome();
  const job = tinyJob(bundleDigest, { steps: SOME });
  const elsewhere = await folderStore();
  const theirs = await attempt(renderImage, {
    store: elsewhere,
    shard: await planOf(elsewhere, [job]),
    bundleDigest,
  }).receipt;
  const bytes = await elsewhere.read(theirs.object);
  const ours = attempt(renderImage, { store, shard: await planOf(store, [job]), bundleDigest });
  await untilComputing(ours);
  await store.create(theirs.object, bytes, 'image/png');
  expect(await ours.receipt).toMatchObject({ outcome: 'reused', computations: 1, crc32c: theirs.crc32c });
});

test('something else that comes under the name of the object meanwhile is kept aside, and the picture takes its place', async () => {
  makeHeartbeatsCome();
  const job = tinyJob(bundleDigest, { steps: SOME });
  const other = tinyJob(bundleDigest, { seed: 8, id: 'other' });
  const shard = await planOf(store, [job, other]);
  const stranger = await attempt(renderImage, { store, shard, index: 1, bundleDigest }).receipt;
  const bytes = await store.read(stranger.object);
  const image = attempt(renderImage, { store, shard, bundleDigest });
  await untilComputing(image);
  await store.create(objectName(job.renderKey, 'png'), bytes, 'image/png');
  const receipt = await image.receipt;
  expect(receipt).toMatchObject({ outcome: 'rendered', computations: 1 });
  expect(await readRenderKey(await store.read(receipt.copy))).toBe(job.renderKey);
});

test('a batch that was planned for another bundle fails at once', async () => {
  const shard = await planOf(store, [tinyJob(bundleDigest)]);
  const { receipt } = attempt(renderImage, { store, shard, bundleDigest: '0'.repeat(64) }, { attempt: 1 });
  await expect(receipt).rejects.toMatchObject({
    type: 'BundleMismatch',
    nonRetryable: true,
    details: [{ attempts: 1 }],
  });
});

test('a job that the bundle can never serve fails at once', async () => {
  const shard = await planOf(store, [tinyJob(bundleDigest, { size: '4k' })]);
  const { receipt } = attempt(renderImage, { store, shard, bundleDigest });
  await expect(receipt).rejects.toMatchObject({ type: 'UserError', nonRetryable: true });
});

test('a store that denies access fails the attempt and not the job, and the message says what to do', async () => {
  const shard = await planOf(store, [tinyJob(bundleDigest)]);
  const doing = { what: 'open the bucket', permissions: 'storage.objects.list' };
  const denying = createRenderImage({
    captions: tinyCaptions,
    renderer,
    openStore: async () => {
      throw gcsError('gs://b', 'b', doing, { code: 401, message: 'token expired' });
    },
  });
  const { receipt } = attempt(denying, { store, shard, bundleDigest });
  await expect(receipt).rejects.toMatchObject({ type: 'StoreDenied', nonRetryable: false });
  await expect(receipt).rejects.toThrow(/access denied \(401\).*storage\.objects\.list/);
});

test('an image that has the device for longer than its size allows fails the attempt, and the next one renders', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const shard = await planOf(store, [tinyJob(bundleDigest, { steps: LONG }), tinyJob(bundleDigest, { id: 'next' })]);
  const { receipt, environment } = attempt(renderImage, { store, shard, bundleDigest });
  environment.once('heartbeat', () => vi.advanceTimersByTime(3_600_000));
  await expect(receipt).rejects.toMatchObject({ type: 'RenderTooLong', nonRetryable: false });
  expect(await attempt(renderImage, { store, shard, index: 1, bundleDigest }).receipt).toMatchObject({ id: 'next' });
});

test('a cancelled image stops, and leaves nothing in the store', async () => {
  const shard = await planOf(store, [tinyJob(bundleDigest, { steps: LONG })]);
  const { receipt, environment, heartbeats } = attempt(renderImage, { store, shard, bundleDigest });
  environment.once('heartbeat', () => environment.cancel('CANCELLED'));
  await expect(receipt).rejects.toThrow(CancelledFailure);
  // The last one is sent as the attempt ends: a step may have been in hand, and the next one begun.
  expect(heartbeats.at(-1)!.step).toBeLessThan(heartbeats[0]!.step + 10);
  expect(await objects()).toEqual([]);
});

test('a renderer that dies fails the attempt and not the job, says which attempt it was, and the next has a process to itself', async () => {
  const shard = await planOf(store, [tinyJob(bundleDigest, { steps: LONG })]);
  const { receipt, environment, heartbeats } = attempt(renderImage, { store, shard, bundleDigest }, { attempt: 3 });
  environment.once('heartbeat', () => process.kill(renderer.pids.at(-1)!, 'SIGKILL'));
  const failure = (await receipt.catch((error: unknown) => error)) as ApplicationFailure;
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({ type: 'RendererDied', details: [{ attempts: 3 }] });
  expect(failure.nonRetryable).toBe(false);
  const render = vi.fn(renderer.render);
  const again = createRenderImage({ openStore, captions: tinyCaptions, renderer: { ...renderer, render } });
  const next = await planOf(store, [tinyJob(bundleDigest), tinyJob(bundleDigest, { seed: 8 })], 1);
  await attempt(again, { store, shard: next, bundleDigest }).receipt;
  const info = { attempt: 4, heartbeatDetails: heartbeats.at(-1) };
  await attempt(again, { store, shard: next, index: 1, bundleDigest }, info).receipt;
  expect(render.mock.calls.map(([, , options]) => options!.isAlone)).toEqual([false, true]);
});
