import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import type { BundleDescription } from '../../../models/pixart/bundle.ts';
import {
  loadPipeline,
  openBundle,
  type Pipeline,
  promptReader,
  type RenderRequest,
} from '../../../models/pixart/index.ts';
import { GOLDEN } from './golden-case.ts';

const request: RenderRequest = {
  prompt: 'A red fox asleep under a birch tree',
  negativePrompt: 'blurry',
  size: '256',
  bin: { height: 48, width: 80 },
  width: 80,
  height: 48,
  seed: 1,
  steps: 6,
  guidance: 4.5,
};

describe('a pipeline', () => {
  let pipeline: Pipeline;

  beforeAll(async () => {
    const bundle = await openBundle(path.join(GOLDEN, 'bundles/tiny-epsilon'));
    pipeline = await loadPipeline(bundle, { device: 'cpu', threads: 1 });
  });

  afterAll(() => pipeline.dispose());

  test('reports every step once, in order', async () => {
    const steps: [number, number][] = [];
    await pipeline.render(request, { onStep: (step, count) => steps.push([step, count]) });
    expect(steps).toEqual([1, 2, 3, 4, 5, 6].map((step) => [step, 6]));
  });

  test('gives the same pixels for the same request, others between', async () => {
    const first = await pipeline.render(request);
    await pipeline.render({ ...request, seed: 2, prompt: 'something else', bin: { height: 64, width: 32 } });
    expect((await pipeline.render(request)).rgb).toEqual(first.rgb);
  });

  test('stops after the step in which it is aborted, with the signal’s reason', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled by a person');
    const steps: number[] = [];
    const rendering = pipeline.render(request, {
      signal: controller.signal,
      onStep: (step) => {
        steps.push(step);
        // As a message from another process: it arrives in a later turn of the event loop.
        if (step === 2) setImmediate(() => controller.abort(reason));
      },
    });
    await expect(rendering).rejects.toBe(reason);
    expect(steps).toEqual([1, 2]);
  });

  test('computes nothing for a signal that was aborted before', async () => {
    const steps: number[] = [];
    const options = { signal: AbortSignal.abort(), onStep: (step: number) => steps.push(step) };
    await expect(pipeline.render(request, options)).rejects.toThrow(/aborted/);
    expect(steps).toEqual([]);
  });

  test('renders an empty prompt without guidance: a caption of one token', async () => {
    expect((await promptReader(pipeline.bundle)).read('').ids).toHaveLength(1);
    const { rgb } = await pipeline.render({ ...request, prompt: '', guidance: 1 });
    expect(rgb).toHaveLength(80 * 48 * 3);
  });

  test('renders a prompt that is longer than the limit, as far as that goes', async () => {
    const long = 'many words about foxes '.repeat(30);
    const { read, maxTokens } = await promptReader(pipeline.bundle);
    expect(read(long).ids).toHaveLength(maxTokens);
    expect(read(long).count).toBeGreaterThan(maxTokens);
    const { rgb } = await pipeline.render({ ...request, prompt: long });
    expect((await pipeline.render({ ...request, prompt: `${long} and badgers` })).rgb).toEqual(rgb);
  });

  test.each<[string, Partial<RenderRequest>, RegExp]>([
    ['a size that the bundle does not serve', { size: '1024' }, /size 1024: bundle tiny-epsilon serves 256/],
    [
      'more steps than its sampler takes',
      { steps: 1000 },
      /steps: expected 1 to 999, found 1000; bundle tiny-epsilon with sampler dpm-solver\+\+/,
    ],
    ['a bin between two tokens', { bin: { height: 48, width: 72 } }, /bin\.width: .*multiple of 16, found 72/],
    ['an image of no width', { width: 0 }, /width: .*found 0/],
    ['no steps', { steps: 0 }, /steps: expected 1 to 999, found 0/],
  ])('refuses %s', async (_, change, message) => {
    const rendering = pipeline.render({ ...request, ...change });
    await expect(rendering).rejects.toThrow(message);
    await expect(rendering).rejects.toThrow(UserError);
  });
});

test('a bundle whose decoder overflows gives an error and no black picture', async () => {
  const bundle = await openBundle(path.join(GOLDEN, 'bundles/tiny-epsilon'));
  const { description } = bundle;
  const overflowing = { ...bundle, description: { ...description, vae: { ...description.vae, scaling: 1e-300 } } };
  const pipeline = await loadPipeline(overflowing, { device: 'cpu', threads: 1 });
  const rendering = pipeline.render({ ...request, steps: 1 });
  await expect(rendering).rejects.toThrow(/pixels of the decoder: expected finite numbers, found NaN/);
  await expect(rendering).rejects.toThrow(UserError);
  await pipeline.dispose();
});

test('a device without its library is refused with what to install', async () => {
  const bundle = await openBundle(path.join(GOLDEN, 'bundles/tiny-epsilon'));
  const loading = loadPipeline(bundle, { device: 'cuda:7' });
  await expect(loading).rejects.toThrow(/cannot be loaded on cuda:7: .*docs\/guide\.md/s);
  await expect(loading).rejects.toThrow(UserError);
});

test.each<[what: string, edit: (description: BundleDescription) => BundleDescription, message: RegExp]>([
  [
    'latents of other channels',
    (d) => ({ ...d, transformer: { ...d.transformer, latentChannels: 8 } }),
    /transformer\.onnx of bundle tiny-epsilon .* is not the graph that bundle\.json or tokenizer\.json describe: Got invalid dimensions/,
  ],
  [
    'other heads',
    (d) => ({ ...d, transformer: { ...d.transformer, heads: 3 } }),
    /transformer\.onnx .* is not the graph/,
  ],
  [
    'another patch',
    (d) => ({ ...d, transformer: { ...d.transformer, patch: 1 } }),
    /transformer\.onnx .* is not the graph .*broadcast an axis/s,
  ],
  ['other norms', (d) => ({ ...d, vae: { ...d.vae, norms: 3 } }), /vae_decoder\.onnx .* is not the graph/],
  [
    'another factor',
    (d) => ({ ...d, vae: { ...d.vae, factor: 4 } }),
    /vae_decoder\.onnx makes 15360 pixels of 20×12 latents, not 80×48, as the factor of 4 in bundle\.json says/,
  ],
  [
    'another end token',
    (d) => ({ ...d, tokenizer: { ...d.tokenizer, eosTokenId: 9 } }),
    /to end with token 9, .* found 1/,
  ],
])('a description with %s than the graphs is refused, with what to do', async (_, edit, message) => {
  const bundle = await openBundle(path.join(GOLDEN, 'bundles/tiny-epsilon'));
  const rendered = async (): Promise<unknown> => {
    const pipeline = await loadPipeline(
      { ...bundle, description: edit(bundle.description) },
      { device: 'cpu', threads: 1 },
    );
    try {
      return await pipeline.render({ ...request, steps: 1 });
    } finally {
      await pipeline.dispose();
    }
  };
  const refused = await rendered().catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(UserError);
  expect((refused as UserError).message).toMatch(message);
});
