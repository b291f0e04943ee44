import type { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { createRenderImage } from '../../activities/render-image.ts';
import { simulatedRenderer } from '../../benchmarks/simulated-renderer.ts';
import { bundleRef } from '../../models/pixart/index.ts';
import { openStore } from '../../store/index.ts';
import { RENDER_ATTEMPTS } from '../../workflows/contract/limits.ts';
import { captionScene, request } from './caption-scene.ts';
import { attempt, planOf, tinyJob } from './rendering.ts';

test('a receipt says whether the model read only a part of the prompt, also for a reused image', async () => {
  const { bundle, store, newProcess } = await captionScene();
  const bundleDigest = bundleRef(bundle).digest;
  const prompts = ['a fox', 'a fox '.repeat(bundle.description.tokenizer.maxTokens)];
  const planned = prompts.map((prompt, seed) => tinyJob(bundleDigest, request({ id: `job-${seed}`, prompt, seed })));
  const shard = await planOf(store, planned);
  const captions = newProcess();
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

test('an image without a stored caption fails its attempt with a reason, and is retried soon', async () => {
  const { bundle, store, newProcess } = await captionScene();
  const bundleDigest = bundleRef(bundle).digest;
  const shard = await planOf(store, [tinyJob(bundleDigest)]);
  const renderer = simulatedRenderer({ bundle: bundleRef(bundle) });
  const renderImage = createRenderImage({ openStore, renderer, captions: newProcess({ hasEncoder: false }).source });
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
