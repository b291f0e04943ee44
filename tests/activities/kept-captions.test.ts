import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { createEncodeActivities, KeptCaptions } from '../../activities/index.ts';
import { createRenderImage } from '../../activities/render-image.ts';
import { NEVER_STOPS, WorkerStopping } from '../../activities/render-stop.ts';
import { simulatedRenderer } from '../../benchmarks/simulated-renderer.ts';
import type { Picture } from '../../domain/job.ts';
import { type ObjectSeal, objectSeal, PLAIN_OBJECTS } from '../../encryption/object-seal.ts';
import { isSealed } from '../../encryption/sealed.ts';
import {
  type Bundle,
  bundleRef,
  type CaptionEncoder,
  loadCaptionEncoder,
  openBundle,
  type PromptReader,
  promptReader,
} from '../../models/pixart/index.ts';
import type { Encoder } from '../../models/renderer/index.ts';
import { ObjectKept, type ObjectStore, openStore, StoreUnavailable } from '../../store/index.ts';
import type { EncodedCaptions } from '../../workflows/contract/activities.ts';
import { RENDER_ATTEMPTS, STORE_SILENCE_SECONDS } from '../../workflows/contract/limits.ts';
import { keyring, lineOf } from '../encryption/keys.ts';
import { TINY_BUNDLE } from '../models/renderer/tiny-renderer.ts';
import { Outage } from '../workflows/outage.ts';
import { attempt, folderStore, planOf, tinyJob } from './rendering.ts';

let bundle: Bundle;
let reader: PromptReader;
let networks: CaptionEncoder;
let store: ObjectStore;
let encoded: number;
let warnings: string[];

const never = new AbortController().signal;

beforeAll(async () => {
  bundle = await openBundle(TINY_BUNDLE);
  reader = await promptReader(bundle);
  networks = await loadCaptionEncoder(bundle, { device: 'cpu', threads: 1 });
});

beforeEach(async () => {
  store = await folderStore();
  encoded = 0;
  warnings = [];
});

/** A process's captions; with another one's encoder, or none. */
function process(
  hasEncoder = true,
  encode: Encoder['encode'] = networks.encode,
  seal: ObjectSeal = PLAIN_OBJECTS,
): KeptCaptions {
  return new KeptCaptions({
    bundle,
    reader,
    seal,
    encoder: hasEncoder ? { encode, unusable: never, close: async () => {} } : null,
    log: { warn: (_about, message) => warnings.push(message) },
    onEncoded: () => {
      encoded += 1;
    },
  });
}

const request = (changes: Partial<Picture & { id: string }> = {}) =>
  tinyJob('ab'.repeat(32), { negativePrompt: '', ...changes });

async function kept(where = store): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of where.list('captions/')) names.push(name);
  return names;
}

test('a text is encoded once: another process, which has no encoder, gets the very same numbers', async () => {
  const made = await process().source(store, request(), never);
  expect(encoded).toBe(2);
  const found = await process(false).source(store, request({ seed: 8 }), never);
  expect(found).toEqual(made);
  expect(encoded).toBe(2);
  expect(await kept()).toHaveLength(2);
});

test('texts that are the same once they are cleaned share their caption, and a negative prompt is not encoded in vain', async () => {
  const captions = process();
  await captions.source(store, request({ prompt: 'A red  fox', guidance: 1 }), never);
  await captions.source(store, request({ prompt: ' a red fox ', guidance: 1 }), never);
  expect(encoded).toBe(1);
});

test('those that ask for the same text at the same time share the work, and one that is cancelled leaves it to the other', async () => {
  const go = new AbortController();
  const begun = new AbortController();
  const slow: CaptionEncoder['encode'] = async (ids) => {
    begun.abort();
    await once(go.signal, 'abort');
    return networks.encode(ids);
  };
  const captions = process(true, slow);
  const cancelled = new AbortController();
  const first = captions.source(store, request({ guidance: 1 }), cancelled.signal);
  const second = captions.source(store, request({ guidance: 1 }), never);
  cancelled.abort(new Error('cancelled'));
  await expect(first).rejects.toThrow('cancelled');
  await expect.poll(() => begun.signal.aborted).toBe(true);
  go.abort();
  expect((await second).prompt.tokens).toBeGreaterThan(1);
  expect(encoded).toBe(1);
});

test('of images that share the encoding of a text one hears what it took, and none of a caption that is there', async () => {
  const timed: Encoder['encode'] = async (ids, { onEncoded } = {}) => {
    onEncoded?.(5);
    return networks.encode(ids);
  };
  const captions = process(true, timed);
  const heard: number[] = [];
  const ask = (seed: number) => captions.source(store, request({ guidance: 1, seed }), never, (ms) => heard.push(ms));
  await Promise.all([ask(1), ask(2)]);
  await ask(3);
  expect(heard).toEqual([5]);
});

test('numbers of another length than the text’s are refused, and nothing is kept of them', async () => {
  const short: Encoder['encode'] = async (ids) => ({ states: new Float32Array(3), tokens: ids.length });
  await expect(process(true, short).keep(store, 'a fox', never)).rejects.toThrow(/expected .* numbers .*, found 3\./);
  expect(await kept()).toEqual([]);
});

test('a kept caption that is damaged is encoded again and replaced, and the log says so', async () => {
  const made = await process().source(store, request({ guidance: 1 }), never);
  const [name] = await kept();
  const whole = await store.read(name!);
  await store.replace(
    name!,
    Uint8Array.from(whole, (byte, i) => (i === 100 ? byte ^ 1 : byte)),
    'x',
  );
  expect(await process().source(store, request({ guidance: 1 }), never)).toEqual(made);
  expect(warnings).toEqual(['a stored caption is damaged; it is encoded again']);
  expect(Buffer.compare(await store.read(name!), whole)).toBe(0);
});

test('an object in a caption’s place that is far too long is not read whole, and counts as damaged', async () => {
  await process().source(store, request({ guidance: 1 }), never);
  const [name] = await kept();
  await store.replace(name!, new Uint8Array(5_000_000), 'x');
  let longest = 0;
  const watched: ObjectStore = new Proxy(store, {
    get(target, member: keyof ObjectStore) {
      if (member === 'url') return target.url;
      if (member !== 'read') return target[member].bind(target);
      return async (...args: Parameters<ObjectStore['read']>) => {
        const bytes = await target.read(...args);
        longest = Math.max(longest, bytes.length);
        return bytes;
      };
    },
  });
  await process().source(watched, request({ guidance: 1 }), never);
  expect(warnings).toHaveLength(1);
  expect(longest).toBeLessThan(50_000);
});

const [older, newer] = [lineOf('older'), lineOf('newer')];
const before = objectSeal(keyring(older), true);
const rotated = objectSeal(keyring(newer, older), true);
const afterwards = objectSeal(keyring(newer), true);
const sealing = (seal: ObjectSeal, hasEncoder = true) => process(hasEncoder, networks.encode, seal);

test('a caption that is encrypted is the very same for those with the key, and neither its bytes nor its name tell its text to others', async () => {
  const made = await sealing(before).source(store, request({ guidance: 1 }), never);
  const [name] = await kept();
  expect(isSealed(await store.read(name!))).toBe(true);
  expect(await sealing(before, false).source(store, request({ guidance: 1 }), never)).toEqual(made);
  await expect(process(false).source(store, request({ guidance: 1 }), never)).rejects.toThrow(
    'has not been encoded yet',
  );
  await process().source(store, request({ guidance: 1 }), never);
  const [one, other] = await kept();
  expect([one, other]).toContain(name);
  expect(path.dirname(path.dirname(one!))).toBe(path.dirname(path.dirname(other!)));
  expect(warnings).toEqual([]);
});

test('an encrypted caption that is damaged is encoded again and replaced, and the log says so', async () => {
  const made = await sealing(before).source(store, request({ guidance: 1 }), never);
  const [name] = await kept();
  const whole = await store.read(name!);
  await store.replace(
    name!,
    Uint8Array.from(whole, (byte, i) => (i === 100 ? byte ^ 1 : byte)),
    'x',
  );
  expect(await sealing(before).source(store, request({ guidance: 1 }), never)).toEqual(made);
  expect(warnings).toEqual(['a stored caption is damaged; it is encoded again']);
  expect(await kept()).toEqual([name]);
});

test.each([
  ['kept before anything was encrypted', PLAIN_OBJECTS],
  ['encrypted with an earlier key', before],
])(
  'a caption that was %s is found, and kept with the current key too for workers that have no other',
  async (_, earlier) => {
    const made = await sealing(earlier).source(store, request({ guidance: 1 }), never);
    expect(await sealing(rotated, false).source(store, request({ guidance: 1 }), never)).toEqual(made);
    expect(await kept()).toHaveLength(1);
    const shard = await planOf(store, [request({ guidance: 1 })]);
    await encodeAll(sealing(rotated), shard, { to: 1 });
    expect(encoded).toBe(1);
    expect(await sealing(afterwards, false).source(store, request({ guidance: 1 }), never)).toEqual(made);
  },
);

test('a process without the encoder says whose caption is missing, and what to start', async () => {
  const asked = process(false).source(store, request(), never);
  await expect(asked).rejects.toMatchObject({ name: 'CaptionNotKept' });
  await expect(asked).rejects.toThrow(/npx pixart-batch worker --encoder --bundle tiny-velocity/);
});

test.each([
  ['is away', new StoreUnavailable('503')],
  ['keeps what is there', new ObjectKept('x', 'a policy')],
])('a store that %s costs no picture', async (_, refusal) => {
  const refusing = Object.assign(Object.create(store), {
    create: async () => Promise.reject(refusal),
    read: async () => Promise.reject(refusal),
  }) as ObjectStore;
  const captions = process();
  await captions.source(refusing, request(), never);
  await captions.source(refusing, request({ prompt: 'an owl' }), never);
  expect(encoded).toBe(3);
  // That nothing can be kept is said once a minute.
  expect(warnings.filter((warning) => warning.startsWith('captions cannot be stored'))).toHaveLength(1);
});

const jobs = () =>
  ['a fox', 'a fox', 'an owl', 'a hen'].map((prompt, i) => request({ id: `job-${i}`, prompt, seed: i }));

async function encodeAll(captions: KeptCaptions, shard: string, changes = {}) {
  const { encodeCaptions } = createEncodeActivities({ openStore, captions });
  const input = { store: store.url, batch: 'night', shard, from: 0, to: 4, encoder: captions.encoder, ...changes };
  return new MockActivityEnvironment().run(encodeCaptions, input);
}

test('a shard’s texts are encoded ahead, each once, and a second time none', async () => {
  const shard = await planOf(store, jobs());
  expect(await encodeAll(process(), shard)).toEqual({ until: 4, encoded: 4 });
  expect(await encodeAll(process(), shard)).toEqual({ until: 4, encoded: 0 });
  expect(encoded).toBe(4);
  expect(await encodeAll(process(), shard, { from: 2, to: 3 })).toEqual({ until: 3, encoded: 0 });
});

test('the first call for a shard encodes few texts, so that images start, and each later one as many as all before', async () => {
  const shard = await planOf(
    store,
    Array.from({ length: 40 }, (_, i) => request({ id: `job-${i}`, guidance: 1, seed: i })),
  );
  const ends: number[] = [];
  for (let from = 0; from < 40; from = ends.at(-1)!) {
    const found = (await encodeAll(process(), shard, { from, to: 40 })) as EncodedCaptions;
    ends.push(found.until);
  }
  expect(ends).toEqual([16, 32, 40]);
});

test('texts of pictures that are there already are not encoded, unless they were missed', async () => {
  const bundleDigest = bundleRef(bundle).digest;
  const planned = jobs().map((job) => tinyJob(bundleDigest, job));
  const shard = await planOf(store, planned);
  const renderer = simulatedRenderer({ bundle: bundleRef(bundle) });
  const elsewhere = await folderStore();
  const renderImage = createRenderImage({
    openStore,
    renderer,
    captions: (_store, ...asked) => process().source(elsewhere, ...asked),
  });
  for (const index of [0, 2, 3]) await attempt(renderImage, { store, shard, index, bundleDigest }).receipt;
  encoded = 0;
  expect(await encodeAll(process(), shard)).toEqual({ until: 4, encoded: 2 });
  expect(encoded).toBe(2);
  // Whoever has missed them has found the picture damaged.
  expect(await encodeAll(process(), shard, { isMissed: true })).toEqual({ until: 4, encoded: 2 });
});

test('a receipt says whether the end of its prompt was lost on the model, reused or not', async () => {
  const bundleDigest = bundleRef(bundle).digest;
  const prompts = ['a fox', 'a fox '.repeat(bundle.description.tokenizer.maxTokens)];
  const planned = prompts.map((prompt, seed) => tinyJob(bundleDigest, request({ id: `job-${seed}`, prompt, seed })));
  const shard = await planOf(store, planned);
  const captions = process();
  const renderImage = createRenderImage({
    openStore,
    renderer: simulatedRenderer({ bundle: bundleRef(bundle) }),
    captions: captions.source,
    isTruncated: (prompt) => captions.isTruncated(prompt),
  });
  const receiptOf = (index: number) => attempt(renderImage, { store, shard, index, bundleDigest }).receipt;
  expect(await receiptOf(0)).not.toHaveProperty('promptTruncated');
  expect(await receiptOf(1)).toMatchObject({ outcome: 'rendered', promptTruncated: true });
  expect(await receiptOf(1)).toMatchObject({ outcome: 'reused', promptTruncated: true });
});

test('an activity that is meant for another text encoder is refused for good, and a store that is away is waited for', async () => {
  const shard = await planOf(store, jobs());
  const other = encodeAll(process(), shard, { encoder: 'cd'.repeat(32) });
  await expect(other).rejects.toMatchObject({ type: 'EncoderMismatch', nonRetryable: true });
  const { encodeCaptions } = createEncodeActivities({
    openStore: async () => Promise.reject(new StoreUnavailable('503')),
    captions: process(),
  });
  const input = { store: store.url, batch: 'night', shard, from: 0, to: 4, encoder: process().encoder };
  const away = new MockActivityEnvironment().run(encodeCaptions, input);
  await expect(away).rejects.toMatchObject({ type: 'StoreUnavailable', nonRetryable: false });
  await expect(away).rejects.toBeInstanceOf(ApplicationFailure);
});

test('of a store that gives no answer heartbeats tell, and an attempt that is cancelled does not wait for it', async () => {
  const shard = await planOf(store, jobs());
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const outage = new Outage();
  outage.begin('captions/', 'hangs');
  const captions = process();
  const { encodeCaptions } = createEncodeActivities({ openStore: outage.open, captions });
  const input = { store: store.url, batch: 'night', shard, from: 0, to: 4, encoder: captions.encoder };
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
  'a worker that is told to end (%s) ends with the text in hand, and says how far it came',
  async (by) => {
    const shard = await planOf(store, jobs());
    const told = new AbortController();
    const stopping: CaptionEncoder['encode'] = (ids) => {
      told.abort();
      return networks.encode(ids);
    };
    const captions = process(true, stopping);
    const stop = { ...NEVER_STOPS, [by]: told.signal };
    const { encodeCaptions } = createEncodeActivities({ openStore, captions, stop });
    const input = { store: store.url, batch: 'night', shard, from: 0, to: 4, encoder: captions.encoder };
    const found = await new MockActivityEnvironment().run(encodeCaptions, input);
    expect(found).toEqual({ until: 1, encoded: 2 });
  },
);

test('a text that is not encoded when the grace time is over is left to another worker', async () => {
  const shard = await planOf(store, jobs());
  const over = new AbortController();
  const hanging: CaptionEncoder['encode'] = () => {
    over.abort(new WorkerStopping());
    return new Promise(() => {});
  };
  const captions = process(true, hanging);
  const stop = { ...NEVER_STOPS, signal: over.signal, over: over.signal };
  const { encodeCaptions } = createEncodeActivities({ openStore, captions, stop });
  const input = { store: store.url, batch: 'night', shard, from: 0, to: 4, encoder: captions.encoder };
  await expect(new MockActivityEnvironment().run(encodeCaptions, input)).rejects.toMatchObject({
    type: 'WorkerStopping',
  });
});

test('an image whose caption nobody has kept fails its attempt with a reason, and is tried again soon', async () => {
  const bundleDigest = bundleRef(bundle).digest;
  const shard = await planOf(store, [tinyJob(bundleDigest)]);
  const renderer = simulatedRenderer({ bundle: bundleRef(bundle) });
  const renderImage = createRenderImage({ openStore, renderer, captions: process(false).source });
  const failures: ApplicationFailure[] = [];
  let heartbeatDetails: unknown;
  for (let number = 1; number <= RENDER_ATTEMPTS; number += 1) {
    const { receipt, heartbeats } = attempt(
      renderImage,
      { store, shard, bundleDigest },
      { attempt: number, heartbeatDetails },
    );
    failures.push(
      await receipt.then(
        () => expect.unreachable(),
        (error: ApplicationFailure) => error,
      ),
    );
    heartbeatDetails = heartbeats.at(-1);
  }
  for (const { type } of failures) expect(type).toBe('CaptionNotKept');
  expect(failures.map(({ nextRetryDelay }) => nextRetryDelay)).toEqual(
    [5, 10, 20, 40, 80, 160, 320].map((seconds) => `${seconds} seconds`),
  );
  expect(failures.map(({ nonRetryable }) => nonRetryable)).toEqual([...Array(RENDER_ATTEMPTS - 1).fill(false), true]);
});
