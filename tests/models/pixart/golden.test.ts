import { describe, expect, test } from 'vitest';
import { nearestBin } from '../../../domain/bins.ts';
import { loadPipeline } from '../../../models/pixart/index.ts';
import { randomNormal } from '../../../models/pixart/noise.ts';
import { Tensor } from '../../../models/pixart/onnxruntime.ts';
import { createSampler } from '../../../models/pixart/samplers/create-sampler.ts';
import { encodeText } from '../../../models/pixart/text-encoder.ts';
import { byteDifference, goldenNames, loadCase, relativeError } from './golden-case.ts';
import { captionsOf, decodeCase, denoiseCase, goldenNetworks, positionsOf } from './golden-networks.ts';

const RELATIVE = 1e-4;

describe.each(goldenNames())('%s', async (name) => {
  const golden = loadCase(name);
  const networks = await goldenNetworks(golden.bundle);
  const realTokens = (mask: number[]) => mask.filter((token) => token === 1).length;

  test('noise equals torch within 1e-6', () => {
    const { data, shape } = golden.tensor('noise');
    const found = randomNormal(
      shape.reduce((product, length) => product * length, 1),
      golden.seed,
    );
    expect(Math.max(...found.map((value, i) => Math.abs(value - data[i]!)))).toBeLessThanOrEqual(1e-6);
  });

  test('the position embedding equals the reference', () => {
    const { data, shape } = golden.tensor('positionEmbedding');
    const positions = positionsOf(networks, golden);
    expect(positions.dims).toEqual(shape);
    expect(relativeError(positions.data as Float32Array, data)).toBeLessThanOrEqual(RELATIVE);
  });

  test('text states of real tokens equal the reference, which pads', async () => {
    const { data: states, shape } = golden.tensor('textStates');
    const ids = golden.text.ids.slice(0, realTokens(golden.text.mask));
    const width = shape.at(-1)!;
    const found = await encodeText(networks.textEncoder, ids);
    expect(relativeError(found, states.subarray(0, ids.length * width))).toBeLessThanOrEqual(RELATIVE);
  });

  test('captions, cleaned, tokenized, encoded and projected, equal the reference', async () => {
    const { data, shape } = golden.tensor('call.caption');
    const [, padded, width] = shape as [number, number, number];
    const { prompt, negative } = await captionsOf(networks, golden);
    const captions = negative ? [negative, prompt] : [prompt];
    const texts = golden.negativeText ? [golden.negativeText, golden.text] : [golden.text];
    expect(captions.map(({ tokens }) => tokens)).toEqual(texts.map(({ mask }) => realTokens(mask)));
    captions.forEach(({ states, tokens }, i) => {
      const expected = data.subarray(i * padded * width, (i * padded + tokens) * width);
      expect(relativeError(states, expected)).toBeLessThanOrEqual(RELATIVE);
    });
  });

  test('one call of the transformer equals the reference', async () => {
    const tensor = (key: string) => {
      const { data, shape } = golden.tensor(key);
      return new Tensor('float32', data, shape);
    };
    const mask = golden.tensor('call.captionMask');
    const prediction = await networks.transformer.run({
      latents: tensor('call.latents'),
      timestep: tensor('call.timestep'),
      position_embedding: tensor('positionEmbedding'),
      caption: tensor('call.caption'),
      caption_mask: new Tensor('int64', BigInt64Array.from(mask.data, BigInt), mask.shape),
    });
    expect(relativeError(prediction, golden.tensor('call.prediction').data)).toBeLessThanOrEqual(RELATIVE);
  });

  test('the timesteps are those of the reference', () => {
    const { scheduler } = networks.bundle.description;
    expect(createSampler(scheduler, golden.steps, () => new Float32Array()).timesteps).toEqual(golden.timesteps);
  });

  test('latents equal the reference after every step', async () => {
    const { data } = golden.tensor('latents');
    const positions = positionsOf(networks, golden);
    const found = await denoiseCase(networks, golden, { ...(await captionsOf(networks, golden)), positions });
    expect(found).toHaveLength(golden.steps);
    found.forEach((latents, i) => {
      const expected = data.subarray(i * latents.length, (i + 1) * latents.length);
      expect(relativeError(latents, expected)).toBeLessThanOrEqual(RELATIVE);
    });
  });

  if (golden.binning) {
    test('the catalog picks the bin that the reference sampled', () => {
      const bin = { height: golden.sampledHeight, width: golden.sampledWidth };
      expect(nearestBin(golden.size, golden.width, golden.height)).toEqual(bin);
    });
  } else {
    // The fixture keeps no decoded image of a binned case: it is large.
    test('the decoded image equals the reference', async () => {
      const { data, shape } = golden.tensor('decoded');
      const latents = golden.tensor('latents').data;
      const image = await decodeCase(networks, golden, latents.slice(latents.length - latents.length / golden.steps));
      expect([1, 3, image.height, image.width]).toEqual(shape);
      expect(relativeError(image.data, data)).toBeLessThanOrEqual(RELATIVE);
    });
  }

  test('the finished image equals the reference to at most 1/255, and 0.05/255 on average', async () => {
    const pipeline = await loadPipeline(networks.bundle, { device: 'cpu', threads: 1 });
    const bin = { height: golden.sampledHeight, width: golden.sampledWidth };
    const found = await pipeline.render({ ...golden, bin });
    await pipeline.dispose();
    const { max, mean } = byteDifference(found.rgb, golden.image);
    expect(max).toBeLessThanOrEqual(1);
    expect(mean).toBeLessThanOrEqual(0.05);
  });
});
