import path from 'node:path';
import { expect, test } from 'vitest';
import { objectSeal, PLAIN_OBJECTS } from '../../encryption/object-seal.ts';
import { isSealed } from '../../encryption/sealed.ts';
import { keyring, lineOf } from '../encryption/keys.ts';
import { captionScene, never, request } from './caption-scene.ts';
import { planOf } from './rendering.ts';

const [older, newer] = [lineOf('older'), lineOf('newer')];
const before = objectSeal(keyring(older), true);
const rotated = objectSeal(keyring(newer, older), true);
const afterwards = objectSeal(keyring(newer), true);

test('an encrypted caption is the very same with the key, and neither its bytes nor its name reveal the text', async () => {
  const { store, newProcess, kept, warnings } = await captionScene();
  const made = await newProcess({ seal: before }).source(store, request({ guidance: 1 }), never);
  const [name] = await kept();
  expect(isSealed(await store.read(name!))).toBe(true);
  expect(await newProcess({ seal: before, hasEncoder: false }).source(store, request({ guidance: 1 }), never)).toEqual(
    made,
  );
  await expect(newProcess({ hasEncoder: false }).source(store, request({ guidance: 1 }), never)).rejects.toThrow(
    'has not been encoded yet',
  );
  await newProcess().source(store, request({ guidance: 1 }), never);
  const [one, other] = await kept();
  expect([one, other]).toContain(name);
  expect(path.dirname(path.dirname(one!))).toBe(path.dirname(path.dirname(other!)));
  expect(warnings).toEqual([]);
});

test('a damaged encrypted caption is encoded again and replaced, and the log says so', async () => {
  const { store, newProcess, kept, warnings } = await captionScene();
  const made = await newProcess({ seal: before }).source(store, request({ guidance: 1 }), never);
  const [name] = await kept();
  const whole = await store.read(name!);
  await store.replace(
    name!,
    Uint8Array.from(whole, (byte, i) => (i === 100 ? byte ^ 1 : byte)),
    'x',
  );
  expect(await newProcess({ seal: before }).source(store, request({ guidance: 1 }), never)).toEqual(made);
  expect(warnings).toEqual(['a stored caption is damaged; it is encoded again']);
  expect(await kept()).toEqual([name]);
});

test.each([
  ['stored before anything was encrypted', PLAIN_OBJECTS],
  ['encrypted with an earlier key', before],
])(
  'a caption %s is found, and also stored with the current key for workers without the old one',
  async (_, earlier) => {
    const { store, newProcess, kept, count, encodeAhead } = await captionScene();
    const made = await newProcess({ seal: earlier }).source(store, request({ guidance: 1 }), never);
    expect(
      await newProcess({ seal: rotated, hasEncoder: false }).source(store, request({ guidance: 1 }), never),
    ).toEqual(made);
    expect(await kept()).toHaveLength(1);
    const shard = await planOf(store, [request({ guidance: 1 })]);
    await encodeAhead(newProcess({ seal: rotated }), shard, { to: 1 });
    expect(count.encoded).toBe(1);
    expect(
      await newProcess({ seal: afterwards, hasEncoder: false }).source(store, request({ guidance: 1 }), never),
    ).toEqual(made);
  },
);
