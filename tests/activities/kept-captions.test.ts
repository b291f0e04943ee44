import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { CaptionEncoder } from '../../models/pixart/index.ts';
import type { Encoder } from '../../models/renderer/index.ts';
import { ObjectKept, type ObjectStore, StoreUnavailable } from '../../store/index.ts';
import { captionScene, never, request } from './caption-scene.ts';

test('a text is encoded once: a process without an encoder finds the very same numbers', async () => {
  const { store, newProcess, kept, count } = await captionScene();
  const made = await newProcess().source(store, request(), never);
  expect(count.encoded).toBe(2);
  const found = await newProcess({ hasEncoder: false }).source(store, request({ seed: 8 }), never);
  expect(found).toEqual(made);
  expect(count.encoded).toBe(2);
  expect(await kept()).toHaveLength(2);
});

test('texts that are equal once cleaned share a caption, and an unused negative prompt is not encoded', async () => {
  const { store, newProcess, count } = await captionScene();
  const captions = newProcess();
  await captions.source(store, request({ prompt: 'A red  fox', guidance: 1 }), never);
  await captions.source(store, request({ prompt: ' a red fox ', guidance: 1 }), never);
  expect(count.encoded).toBe(1);
});

test('concurrent requests for a text share the work, and a cancelled one leaves it to the other', async () => {
  const { networks, store, newProcess, count } = await captionScene();
  const go = new AbortController();
  const begun = new AbortController();
  const slow: CaptionEncoder['encode'] = async (ids) => {
    begun.abort();
    await once(go.signal, 'abort');
    return networks.encode(ids);
  };
  const captions = newProcess({ encode: slow });
  const cancelled = new AbortController();
  const first = captions.source(store, request({ guidance: 1 }), cancelled.signal);
  const second = captions.source(store, request({ guidance: 1 }), never);
  cancelled.abort(new Error('cancelled'));
  await expect(first).rejects.toThrow('cancelled');
  await expect.poll(() => begun.signal.aborted).toBe(true);
  go.abort();
  expect((await second).prompt.tokens).toBeGreaterThan(1);
  expect(count.encoded).toBe(1);
});

test('only one of the images that share a text is charged for encoding it, and none for a stored caption', async () => {
  const { networks, store, newProcess } = await captionScene();
  const timed: Encoder['encode'] = async (ids, { onEncoded } = {}) => {
    onEncoded?.(5);
    return networks.encode(ids);
  };
  const captions = newProcess({ encode: timed });
  const heard: number[] = [];
  const ask = (seed: number) => captions.source(store, request({ guidance: 1, seed }), never, (ms) => heard.push(ms));
  await Promise.all([ask(1), ask(2)]);
  await ask(3);
  expect(heard).toEqual([5]);
});

test('a caption of the wrong length is refused, and not stored', async () => {
  const { store, newProcess, kept } = await captionScene();
  const short: Encoder['encode'] = async (ids) => ({ states: new Float32Array(3), tokens: ids.length });
  await expect(newProcess({ encode: short }).keep(store, 'a fox', never)).rejects.toThrow(
    /expected .* numbers .*, found 3\./,
  );
  expect(await kept()).toEqual([]);
});

test('a damaged caption is encoded again and replaced, and the log says so', async () => {
  const { store, newProcess, kept, warnings } = await captionScene();
  const made = await newProcess().source(store, request({ guidance: 1 }), never);
  const [name] = await kept();
  const whole = await store.read(name!);
  await store.replace(
    name!,
    Uint8Array.from(whole, (byte, i) => (i === 100 ? byte ^ 1 : byte)),
    'x',
  );
  expect(await newProcess().source(store, request({ guidance: 1 }), never)).toEqual(made);
  expect(warnings).toEqual(['a stored caption is damaged; it is encoded again']);
  expect(Buffer.compare(await store.read(name!), whole)).toBe(0);
});

test('an object that is far too long for a caption is not read whole, and counts as damaged', async () => {
  const { store, newProcess, kept, warnings } = await captionScene();
  await newProcess().source(store, request({ guidance: 1 }), never);
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
  await newProcess().source(watched, request({ guidance: 1 }), never);
  expect(warnings).toHaveLength(1);
  expect(longest).toBeLessThan(50_000);
});

test('a process without an encoder says what is missing, and what to start', async () => {
  const { store, newProcess } = await captionScene();
  const asked = newProcess({ hasEncoder: false }).source(store, request(), never);
  await expect(asked).rejects.toMatchObject({ name: 'CaptionNotKept' });
  await expect(asked).rejects.toThrow(/npx pixart-batch worker --encoder --bundle tiny-velocity/);
});

test.each([
  ['is unreachable', new StoreUnavailable('503')],
  ['refuses changes', new ObjectKept('x', 'a policy')],
])('a store that %s costs no image', async (_, refusal) => {
  const { store, newProcess, count, warnings } = await captionScene();
  const refusing = Object.assign(Object.create(store), {
    create: async () => Promise.reject(refusal),
    read: async () => Promise.reject(refusal),
  }) as ObjectStore;
  const captions = newProcess();
  await captions.source(refusing, request(), never);
  await captions.source(refusing, request({ prompt: 'an owl' }), never);
  expect(count.encoded).toBe(3);
  // The log says so once a minute.
  expect(warnings.filter((warning) => warning.startsWith('captions cannot be stored'))).toHaveLength(1);
});
