import { expect, test } from 'vitest';
import { type ObjectSeal, objectSeal, PLAIN_OBJECTS } from '../../encryption/object-seal.ts';
import { forgottenCaptions } from '../../forgetting/forgotten-captions.ts';
import { captionKey, encoderDigest, openBundle, promptReader } from '../../models/pixart/index.ts';
import { captionName } from '../../records/layout.ts';
import { folderStore } from '../activities/rendering.ts';
import { keyring, lineOf } from '../encryption/keys.ts';
import { TINY_BUNDLE } from '../models/renderer/tiny-renderer.ts';

const [newer, older] = [lineOf('newer'), lineOf('older')];
const withBoth = objectSeal(keyring(newer, older), false);
const withNewer = objectSeal(keyring(newer), false);

/** Captions of two texts, kept by workers without a key and with either of two, and one of an unknown encoder. */
async function captions() {
  const store = await folderStore();
  const bundle = await openBundle(TINY_BUNDLE);
  const encoder = encoderDigest(bundle.description);
  const { read } = await promptReader(bundle);
  const keep = async (text: string, seal: ObjectSeal): Promise<string> => {
    const name = captionName(encoder, seal.digests(captionKey(encoder, read(text).ids))[0]);
    await store.create(name, seal.close(Buffer.from(text), name), 'application/octet-stream');
    return name;
  };
  const kept = async (text: string) => ({
    plain: await keep(text, PLAIN_OBJECTS),
    older: await keep(text, objectSeal(keyring(older), true)),
    newer: await keep(text, objectSeal(keyring(newer, older), true)),
  });
  const [zebra, fox] = [await kept('a zebra'), await kept('a fox')];
  const unknown = captionName('ab'.repeat(32), 'cd'.repeat(32));
  await store.create(unknown, Buffer.from('a caption'), 'application/octet-stream');
  await store.create('captions/readme', Buffer.from('not ours'), 'text/plain');
  const find = (seal: ObjectSeal, ...texts: string[]) => forgottenCaptions(store, [bundle], seal, new Set(texts));
  return { find, zebra, fox, unknown };
}

test('a text’s captions are found under every key’s name for them, and those of other texts stay', async () => {
  const { find, zebra, unknown } = await captions();
  expect(await find(withBoth, 'a zebra')).toEqual(new Set([...Object.values(zebra), unknown]));
  expect(await find(withBoth)).toEqual(new Set());
});

test('a caption encrypted with a missing key may be of any text, and is removed', async () => {
  const { find, zebra, fox, unknown } = await captions();
  expect(await find(withNewer, 'a zebra')).toEqual(new Set([...Object.values(zebra), fox.older, unknown]));
  expect(await find(PLAIN_OBJECTS, 'a zebra')).toEqual(
    new Set([...Object.values(zebra), fox.older, fox.newer, unknown]),
  );
});
