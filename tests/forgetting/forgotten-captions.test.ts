import { expect, test } from 'vitest';
import { KeptCaptions } from '../../activities/index.ts';
import { objectSeal } from '../../encryption/object-seal.ts';
import { survey } from '../../forgetting/index.ts';
import { type Bundle, openBundle, promptReader } from '../../models/pixart/index.ts';
import type { ObjectStore } from '../../store/index.ts';
import { folderStore, planOf, tinyJob } from '../activities/rendering.ts';
import { keyring, lineOf } from '../encryption/keys.ts';
import { TINY_BUNDLE } from '../models/renderer/tiny-renderer.ts';

const never = new AbortController().signal;

/** Keeps the caption of a text as a worker with these keys does, which encrypts. */
async function keep(store: ObjectStore, bundle: Bundle, text: string, ...keys: string[]): Promise<void> {
  const { heads, headWidth } = bundle.description.transformer;
  const captions = new KeptCaptions({
    bundle,
    reader: await promptReader(bundle),
    seal: objectSeal(keyring(...keys), true),
    encoder: {
      encode: async ({ length: tokens }) => ({ states: new Float32Array(tokens * heads * headWidth), tokens }),
      unusable: never,
      close: async () => {},
    },
    log: { warn: () => {} },
  });
  await captions.keep(store, text, never);
}

async function namesIn(store: ObjectStore): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of store.list('captions/')) names.push(name);
  return names;
}

test('an encrypted caption of a text that is forgotten goes, whichever of the keys it is encrypted with', async () => {
  const bundle = await openBundle(TINY_BUNDLE);
  const store = await folderStore();
  await planOf(store, [tinyJob(bundle.digest, { prompt: 'a zebra', negativePrompt: '' })]);
  const [before, now] = [lineOf('before'), lineOf('now')];
  await keep(store, bundle, 'a zebra', before);
  await keep(store, bundle, 'a zebra', now, before);
  const zebras = await namesIn(store);
  await keep(store, bundle, 'a fox', now);
  expect(zebras).toHaveLength(2);
  expect(await namesIn(store)).toHaveLength(3);

  const { digests: digestsOf } = objectSeal(keyring(now, before), false);
  const { removals } = await survey(store, { batch: 'night', filters: [], bundles: [bundle], digestsOf }, () => {});
  expect(removals.captions.map(({ name }) => name)).toEqual(zebras);
});
