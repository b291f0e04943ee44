import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRenderImage } from '../../activities/render-image.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { RENDER_LOST_BESIDE_OTHERS } from '../../workflows/contract/limits.ts';
import { type TinyRenderer, tinyRenderer } from '../models/renderer/tiny-renderer.ts';
import { Outage } from '../workflows/outage.ts';
import { captionScene } from './caption-scene.ts';
import { attempt, folderStore, planOf, tinyJob } from './rendering.ts';

/** An image that was lost so often is made alone. */
const ALONE = RENDER_LOST_BESIDE_OTHERS + 1;

let renderer: TinyRenderer;

beforeAll(async () => {
  renderer = await tinyRenderer();
});

afterAll(() => renderer.close());

/** A worker, and a store of captions that answers it nothing. */
async function silentScene() {
  const { store: silent, newProcess, kept } = await captionScene();
  const outage = new Outage();
  outage.begin('captions/', 'hangs');
  const renderImage = createRenderImage({
    renderer,
    captions: newProcess().source,
    openStore: (url) => (url === silent.url ? outage.open(url) : openStore(url)),
  });

  /** One attempt on an image. */
  async function begin(store: ObjectStore, number = 1, prompt = 'a fox') {
    const { digest: bundleDigest } = renderer.bundle;
    const shard = await planOf(store, [tinyJob(bundleDigest, { prompt })]);
    return attempt(renderImage, { store, shard, bundleDigest }, { attempt: number });
  }

  const hanging = (count: number) => expect.poll(() => outage.hanging, { interval: 5 }).toBe(count);
  return { silent, outage, begin, hanging, kept };
}

test.each([
  ['that must be made alone', ALONE],
  ['that is made beside others', 1],
])('an image %s and waits for its stored captions holds up none of other stores', async (_, number) => {
  const { silent, outage, begin, hanging } = await silentScene();
  const waiting = await begin(silent, number);
  await hanging(1);
  const alone = await begin(await folderStore(), ALONE, 'an owl');
  const withSameText = await begin(await folderStore());
  expect(await alone.receipt).toMatchObject({ outcome: 'rendered' });
  expect(await withSameText.receipt).toMatchObject({ outcome: 'rendered' });
  expect(outage.hanging).toBe(1);
  outage.end('captions/');
  outage.answer();
  expect(await waiting.receipt).toMatchObject({ outcome: 'rendered' });
});

test('an image that is made alone does not wait until its store has taken the captions that it encoded', async () => {
  const { silent, outage, begin, hanging, kept } = await silentScene();
  const alone = await begin(silent, ALONE);
  for (const _ of ['prompt', 'negative prompt']) {
    await hanging(1);
    outage.answer();
  }
  expect(await alone.receipt).toMatchObject({ outcome: 'rendered' });
  await hanging(2);
  expect(await kept()).toEqual([]);
  outage.answer();
  await expect.poll(kept).toHaveLength(2);
});
