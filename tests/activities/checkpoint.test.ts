import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createRenderImage, type RenderImageDependencies } from '../../activities/render-image.ts';
import { NEVER_STOPS } from '../../activities/render-stop.ts';
import type { Job } from '../../domain/job.ts';
import { objectSeal } from '../../encryption/object-seal.ts';
import { isSealed } from '../../encryption/sealed.ts';
import { encodeCheckpoint, type SamplerState } from '../../models/pixart/index.ts';
import type { Renderer, RendererRenderOptions } from '../../models/renderer/index.ts';
import { checkpointName, objectName } from '../../records/layout.ts';
import { ObjectKept, type ObjectStore, openStore, StoreUnavailable } from '../../store/index.ts';
import { keyring, lineOf } from '../encryption/keys.ts';
import { type TinyRenderer, tinyCaptions, tinyRenderer } from '../models/renderer/tiny-renderer.ts';
import { attempt, folderStore, planOf, tinyJob } from './rendering.ts';

const STEPS = 30;

let renderer: TinyRenderer;
let store: ObjectStore;
let job: Job;
let shard: string;
let bundleDigest: string;
/** The picture as it is when nothing disturbs it, and a state from the middle. */
let undisturbed: { png: Uint8Array; middle: SamplerState };

beforeAll(async () => {
  renderer = await tinyRenderer();
  bundleDigest = renderer.bundle.digest;
});

beforeEach(async () => {
  store = await folderStore();
  job = tinyJob(bundleDigest, { steps: STEPS });
  shard = await planOf(store, [job, tinyJob(bundleDigest, { id: 'other', seed: 8, steps: STEPS })]);
  undisturbed ??= await renderUndisturbed();
});

afterAll(() => renderer.close());

async function renderUndisturbed(): Promise<typeof undisturbed> {
  const states: SamplerState[] = [];
  const watched: Renderer = {
    ...renderer,
    render: (request, captions, options) =>
      renderer.render(request, captions, {
        ...options,
        states: { everyMs: 0, onState: (state) => states.push(state) },
      }),
  };
  const elsewhere = await folderStore();
  const renderImage = createRenderImage({ captions: tinyCaptions, openStore, renderer: watched });
  const plan = await planOf(elsewhere, [job]);
  const { object } = await attempt(renderImage, { store: elsewhere, shard: plan, bundleDigest }).receipt;
  return { png: await elsewhere.read(object), middle: states[STEPS / 2 - 1]! };
}

/** One attempt; `onStep` is told of the steps that it computes. */
function attemptWith(
  dependencies: Partial<RenderImageDependencies>,
  {
    number = 1,
    index = 0,
    details,
    onStep,
  }: { number?: number; index?: number; details?: object; onStep?: (step: number) => void } = {},
) {
  const computed: number[] = [];
  const watched: Renderer = {
    ...renderer,
    render: (request, captions, options: RendererRenderOptions = {}) =>
      renderer.render(request, captions, {
        ...options,
        onStep: (step, steps) => {
          computed.push(step);
          options.onStep?.(step, steps);
          onStep?.(step);
        },
      }),
  };
  const renderImage = createRenderImage({ captions: tinyCaptions, openStore, renderer: watched, ...dependencies });
  const info = { attempt: number, ...(details && { heartbeatDetails: details }) };
  return { ...attempt(renderImage, { store, shard, index, bundleDigest }, info), computed };
}

async function scratch(where = store): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of where.list('scratch/')) names.push(name);
  return names;
}

async function expectUndisturbed(): Promise<void> {
  expect(Buffer.compare(await store.read(objectName(job.renderKey, 'png')), undisturbed.png)).toBe(0);
  expect(await scratch()).toEqual([]);
}

test('after its renderer died, the next attempt goes on at the last checkpoint, to the same picture', async () => {
  let stored = false;
  const first = attemptWith(
    { checkpointSeconds: 0 },
    {
      onStep: (step) => {
        if (step >= 5) void scratch().then((names) => (stored ||= names.length === 1));
        if (step === 20) process.kill(renderer.pids.at(-1)!, 'SIGKILL');
      },
    },
  );
  await expect(first.receipt).rejects.toMatchObject({ type: 'RendererDied' });
  expect(stored).toBe(true);
  expect(await scratch()).toEqual([checkpointName(job.renderKey)]);

  const details = { computations: 1, stepsComputed: 20, step: 20, steps: STEPS };
  const second = attemptWith({}, { number: 2, details });
  const receipt = await second.receipt;
  expect(second.computed[0]).toBeGreaterThan(5);
  expect(second.computed.at(-1)).toBe(STEPS);
  expect(receipt).toMatchObject({
    outcome: 'rendered',
    computations: 2,
    stepsComputed: 20 + second.computed.length,
  });
  await expectUndisturbed();
});

test('told to stop, an image that cannot be finished in time is handed back, and goes on elsewhere at that very step', async () => {
  const stop = new AbortController();
  const first = attemptWith(
    { stop: { ...NEVER_STOPS, signal: stop.signal } },
    { onStep: (step) => step === 5 && stop.abort() },
  );
  const failure = (await first.receipt.catch((error: unknown) => error)) as ApplicationFailure;
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({ type: 'WorkerStopping', nonRetryable: false, nextRetryDelay: '1 seconds' });
  expect(first.computed.length).toBeLessThan(STEPS);

  const second = attemptWith({}, { number: 2 });
  await second.receipt;
  expect(second.computed).toEqual(
    Array.from({ length: STEPS - first.computed.length }, (_, i) => first.computed.length + 1 + i),
  );
  await expectUndisturbed();
});

test('told to stop, an image that can be finished in time is finished', async () => {
  const stop = new AbortController();
  const { receipt } = attemptWith(
    { stop: { ...NEVER_STOPS, signal: stop.signal, graceMs: 60_000 } },
    { onStep: (step) => step === 5 && stop.abort() },
  );
  expect(await receipt).toMatchObject({ outcome: 'rendered', computations: 1, stepsComputed: STEPS });
  await expectUndisturbed();
});

test('told to stop, an image that still waits for the device is handed back at once', async () => {
  const stop = new AbortController();
  const dependencies = { stop: { ...NEVER_STOPS, signal: stop.signal, graceMs: 60_000 } };
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const first = attemptWith(dependencies, {
    onStep: (step) => {
      begin();
      if (step === 15) stop.abort();
    },
  });
  await begun;
  const waiting = attemptWith(dependencies, { index: 1 });
  await expect(waiting.receipt).rejects.toMatchObject({ type: 'WorkerStopping' });
  expect(waiting.computed).toEqual([]);
  expect(await first.receipt).toMatchObject({ outcome: 'rendered' });
});

test('what the SDK stops at the end of the grace time keeps its latents; what a person cancels does not', async () => {
  for (const [reason, kept] of [
    ['WORKER_SHUTDOWN', 1],
    ['CANCELLED', 0],
  ] as const) {
    const { receipt, environment } = attemptWith(
      {},
      { index: kept === 1 ? 0 : 1, onStep: (step) => step === 5 && environment.cancel(reason) },
    );
    const error = await receipt.catch((error: unknown) => error);
    if (kept === 1) expect(error).toMatchObject({ type: 'WorkerStopping' });
    else expect(error).toBeInstanceOf(CancelledFailure);
    expect(await scratch()).toEqual([checkpointName(job.renderKey)]);
  }
});

test.each<[string, (own: Uint8Array) => Uint8Array]>([
  ['damaged', (own) => own.map((byte, i) => (i === 1_000 ? byte ^ 1 : byte))],
  ['cut off', (own) => own.subarray(0, own.length / 2)],
  [
    "another picture's",
    () => encodeCheckpoint({ renderKey: 'f'.repeat(64), bundleDigest, steps: STEPS }, undisturbed.middle),
  ],
  ['not one at all', () => Buffer.from('hello')],
])('a checkpoint that is %s is ignored: the picture is made from the beginning', async (_, altered) => {
  const own = encodeCheckpoint({ renderKey: job.renderKey, bundleDigest, steps: STEPS }, undisturbed.middle);
  await store.create(checkpointName(job.renderKey), altered(own), 'application/octet-stream');
  const { receipt, computed } = attemptWith({}, { number: 2 });
  expect(await receipt).toMatchObject({ stepsComputed: STEPS });
  expect(computed[0]).toBe(1);
  await expectUndisturbed();
});

const older = lineOf('older');

test.each([
  [
    'with its key, the next one now',
    'goes on there',
    objectSeal(keyring(lineOf('newer'), older), true),
    (step: number) => step > 5,
  ],
  ['without its key', 'begins anew', undefined, (step: number) => step === 1],
])(
  'of an encrypted checkpoint a worker %s %s, to the same picture, and takes it away',
  async (_, __, seal, isExpected) => {
    const first = attemptWith(
      { checkpointSeconds: 0, seal: objectSeal(keyring(older), true) },
      { onStep: (step) => step === 20 && process.kill(renderer.pids.at(-1)!, 'SIGKILL') },
    );
    await expect(first.receipt).rejects.toMatchObject({ type: 'RendererDied' });
    expect(isSealed(await store.read(checkpointName(job.renderKey)))).toBe(true);
    const second = attemptWith({ ...(seal && { seal }) }, { number: 2 });
    await second.receipt;
    expect(second.computed[0]).toSatisfy(isExpected);
    await expectUndisturbed();
  },
);

/** Opens the store with some of its methods exchanged. */
const openWith =
  (exchanged: (store: ObjectStore) => Partial<ObjectStore>): RenderImageDependencies['openStore'] =>
  async (url) => {
    const inner = await openStore(url);
    const methods = exchanged(inner);
    return new Proxy(inner, {
      get(target, property) {
        const value: unknown = Reflect.get(methods, property) ?? Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };

test('a checkpoint that comes late to the store, when another worker has made the image, is taken back', async () => {
  let arrive = (): void => {};
  const late = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const stored = vi.fn();
  const openSlow = openWith((inner) => ({
    async replace(...checkpoint) {
      await late;
      const stat = await inner.replace(...checkpoint);
      stored();
      return stat;
    },
  }));
  const { receipt, environment } = attemptWith(
    { openStore: openSlow, checkpointSeconds: 0 },
    { onStep: (step) => step === 5 && environment.cancel('NOT_FOUND') },
  );
  await expect(receipt).rejects.toBeInstanceOf(CancelledFailure);
  await store.create(objectName(job.renderKey, 'png'), undisturbed.png, 'image/png');
  arrive();
  await vi.waitFor(async () => {
    expect(stored).toHaveBeenCalled();
    await expectUndisturbed();
  });
});

test('a store that lets no checkpoint be replaced or removed costs no image, is told once, and gets no more of them', async () => {
  const written: string[] = [];
  const keeping = openWith((inner) => ({
    async replace(name, ...more) {
      written.push(name);
      if (written.length > 1) throw new ObjectKept(`store ${inner.url}: could not write ${name}`, 'a retention policy');
      return inner.replace(name, ...more);
    },
    remove: (name) =>
      Promise.reject(new ObjectKept(`store ${inner.url}: could not remove ${name}`, 'a retention policy')),
  }));
  const renderImage = createRenderImage({ captions: tinyCaptions, openStore: keeping, renderer, checkpointSeconds: 0 });
  const logged: string[] = [];
  for (const index of [0, 1]) {
    const { receipt, environment } = attempt(renderImage, { store, shard, index, bundleDigest });
    vi.spyOn(environment.context.log, 'warn').mockImplementation((message) => void logged.push(message));
    expect(await receipt).toMatchObject({ outcome: 'rendered', computations: 1 });
  }
  expect(logged).toEqual([expect.stringContaining('no more checkpoints')]);
  expect(written).toEqual([checkpointName(job.renderKey), checkpointName(job.renderKey)]);
  expect(await scratch()).toEqual([checkpointName(job.renderKey)]);
});

test('checkpoints lie in another store where one is named, and the next attempt finds them there', async () => {
  const elsewhere = await folderStore();
  const dependencies = { scratch: elsewhere.url, checkpointSeconds: 0 };
  const stop = new AbortController();
  const first = attemptWith(
    { ...dependencies, stop: { ...NEVER_STOPS, signal: stop.signal } },
    { onStep: (step) => step === 5 && stop.abort() },
  );
  await expect(first.receipt).rejects.toMatchObject({ type: 'WorkerStopping' });
  expect(await scratch()).toEqual([]);
  expect(await scratch(elsewhere)).toEqual([checkpointName(job.renderKey)]);
  const second = attemptWith(dependencies, { number: 2 });
  await second.receipt;
  expect(second.computed[0]).toBe(first.computed.length + 1);
  expect(await scratch(elsewhere)).toEqual([]);
  await expectUndisturbed();
});

test('a store that refuses checkpoints costs no image', async () => {
  const refuse = () => Promise.reject(new StoreUnavailable('full'));
  const refusing = openWith(() => ({ replace: refuse, remove: refuse }));
  const { receipt } = attemptWith({ openStore: refusing, checkpointSeconds: 0 });
  expect(await receipt).toMatchObject({ outcome: 'rendered', computations: 1 });
  await expectUndisturbed();
});
