import path from 'node:path';
import { expect, test } from 'vitest';
import { objectSeal, PLAIN_OBJECTS } from '../../encryption/object-seal.ts';
import { isSealed } from '../../encryption/sealed.ts';
import { keyring, lineOf } from '../encryption/keys.ts';
import { captionScene, request } from './caption-scene.ts';
import { planOf } from './rendering.ts';

const [older, newer] = [lineOf('older'), lineOf('newer')];
const before = objectSeal(keyring(older), true);
const rotated = objectSeal(keyring(newer, older), true);
const afterwards = objectSeal(keyring(newer), true);

test('an encrypted caption is the very same with the key, and neither its bytes nor its name reveal the text', async () => {
  const { store, newProcess, kept, warnings, stored, captionsOf } = await captionScene();
  const made = await captionsOf(newProcess({ seal: before }), request({ guidance: 1 }));
  await stored(1);
  const [name] = await kept();
  expect(isSealed(await store.read(name!))).toBe(true);
  expect(await captionsOf(newProcess({ seal: before, hasEncoder: false }), request({ guidance: 1 }))).toEqual(made);
  await expect(captionsOf(newProcess({ hasEncoder: false }), request({ guidance: 1 }))).rejects.toThrow(
    'has not been encoded yet',
  );
  await captionsOf(newProcess(), request({ guidance: 1 }));
  await stored(2);
  const [one, other] = await kept();
  expect([one, other]).toContain(name);
  expect(path.dirname(path.dirname(one!))).toBe(path.dirname(path.dirname(other!)));
  expect(warnings).toEqual([]);
});

test('a damaged encrypted caption is encoded again and replaced, and the log says so', async () => {
  const { newProcess, kept, warnings, stored, captionsOf, damage } = await captionScene();
  const made = await captionsOf(newProcess({ seal: before }), request({ guidance: 1 }));
  await stored(1);
  const [name] = await kept();
  await damage(name!);
  expect(await captionsOf(newProcess({ seal: before }), request({ guidance: 1 }))).toEqual(made);
  expect(warnings).toEqual(['a stored caption is damaged; it is encoded again']);
  await stored(1);
  expect(await kept()).toEqual([name]);
});

test.each([
  ['stored before anything was encrypted', PLAIN_OBJECTS],
  ['encrypted with an earlier key', before],
])(
  'a caption %s is found, and also stored with the current key for workers without the old one',
  async (_, earlier) => {
    const { store, newProcess, kept, count, encodeAhead, stored, captionsOf } = await captionScene();
    const made = await captionsOf(newProcess({ seal: earlier }), request({ guidance: 1 }));
    await stored(1);
    expect(await captionsOf(newProcess({ seal: rotated, hasEncoder: false }), request({ guidance: 1 }))).toEqual(made);
    expect(await kept()).toHaveLength(1);
    const shard = await planOf(store, [request({ guidance: 1 })]);
    await encodeAhead(newProcess({ seal: rotated }), shard, { to: 1 });
    expect(count.encoded).toBe(1);
    expect(await captionsOf(newProcess({ seal: afterwards, hasEncoder: false }), request({ guidance: 1 }))).toEqual(
      made,
    );
  },
);
