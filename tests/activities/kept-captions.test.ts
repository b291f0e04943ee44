import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { CaptionEncoder } from '../../models/pixart/index.ts';
import type { Encoder } from '../../models/renderer/index.ts';
import { ObjectKept, type ObjectStore, StoreUnavailable } from '../../store/index.ts';
import { captionScene, never, request } from './caption-scene.ts';

test('a text is encoded once: a process without an encoder finds the very same numbers', async () => {
  const { newProcess, kept, count, stored, captionsOf } = await captionScene();
  const made = await captionsOf(newProcess(), request());
  expect(count.encoded).toBe(2);
  await stored(2);
  const found = await captionsOf(newProcess({ hasEncoder: false }), request({ seed: 8 }));
  expect(found).toEqual(made);
  expect(count.encoded).toBe(2);
  expect(await kept()).toHaveLength(2);
});

test('texts that are equal once cleaned share a caption, and an unused negative prompt is not encoded', async () => {
  const { newProcess, count, captionsOf } = await captionScene();
  const captions = newProcess();
  await captionsOf(captions, request({ prompt: 'A red  fox', guidance: 1 }));
  await captionsOf(captions, request({ prompt: ' a red fox ', guidance: 1 }));
  expect(count.encoded).toBe(1);
});

test('concurrent requests for a text share the work, and a cancelled one leaves it to the other', async () => {
  const { networks, newProcess, count, captionsOf } = await captionScene();
  const go = new AbortController();
  const begun = new AbortController();
  const slow: CaptionEncoder['encode'] = async (ids) => {
    begun.abort();
    await once(go.signal, 'abort');
    return networks.encode(ids);
  };
  const captions = newProcess({ encode: slow });
  const cancelled = new AbortController();
  const first = captionsOf(captions, request({ guidance: 1 }), { signal: cancelled.signal });
  const second = captionsOf(captions, request({ guidance: 1 }));
  await expect.poll(() => begun.signal.aborted).toBe(true);
  cancelled.abort(new Error('cancelled'));
  await expect(first).rejects.toThrow('cancelled');
  go.abort();
  expect((await second).prompt.tokens).toBeGreaterThan(1);
  expect(count.encoded).toBe(1);
});

test('only one of the images that share a text is charged for encoding it, and none for a stored caption', async () => {
  const { networks, newProcess, captionsOf } = await captionScene();
  const timed: Encoder['encode'] = async (ids, { onEncoded } = {}) => {
    onEncoded?.(5);
    return networks.encode(ids);
  };
  const captions = newProcess({ encode: timed });
  const heard: number[] = [];
  const ask = (seed: number) =>
    captionsOf(captions, request({ guidance: 1, seed }), { onEncoded: (ms) => heard.push(ms) });
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
  const { store, newProcess, kept, warnings, stored, captionsOf, damage } = await captionScene();
  const made = await captionsOf(newProcess(), request({ guidance: 1 }));
  await stored(1);
  const [name] = await kept();
  const whole = await damage(name!);
  expect(await captionsOf(newProcess(), request({ guidance: 1 }))).toEqual(made);
  expect(warnings).toEqual(['a stored caption is damaged; it is encoded again']);
  await stored(1);
  expect(Buffer.compare(await store.read(name!), whole)).toBe(0);
});

test('an object that is far too long for a caption is not read whole, and counts as damaged', async () => {
  const { store, newProcess, kept, warnings, stored, captionsOf } = await captionScene();
  await captionsOf(newProcess(), request({ guidance: 1 }));
  await stored(1);
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
  await captionsOf(newProcess(), request({ guidance: 1 }), { where: watched });
  expect(warnings).toHaveLength(1);
  expect(longest).toBeLessThan(50_000);
});

test('a process without an encoder says what is missing, and what to start', async () => {
  const { newProcess, captionsOf } = await captionScene();
  const asked = captionsOf(newProcess({ hasEncoder: false }), request());
  await expect(asked).rejects.toMatchObject({ name: 'CaptionNotKept' });
  await expect(asked).rejects.toThrow(/npx pixart-batch worker --encoder --bundle tiny-velocity/);
});

test.each([
  ['is unreachable', new StoreUnavailable('503')],
  ['refuses changes', new ObjectKept('x', 'a policy')],
])('a store that %s costs no image', async (_, refusal) => {
  const { store, newProcess, count, warnings, captionsOf } = await captionScene();
  const refusing = Object.assign(Object.create(store), {
    create: async () => Promise.reject(refusal),
    read: async () => Promise.reject(refusal),
  }) as ObjectStore;
  const captions = newProcess();
  await captionsOf(captions, request(), { where: refusing });
  await captionsOf(captions, request({ prompt: 'an owl' }), { where: refusing });
  expect(count.encoded).toBe(3);
  // The log says so once a minute.
  expect(warnings.filter((warning) => warning.startsWith('captions cannot be stored'))).toHaveLength(1);
});
