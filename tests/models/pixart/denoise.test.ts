import { expect, test } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import { captionInputs } from '../../../models/pixart/caption-inputs.ts';
import type { Caption } from '../../../models/pixart/captions.ts';
import { denoise } from '../../../models/pixart/denoise.ts';
import { guide } from '../../../models/pixart/guidance.ts';
import { randomNormal } from '../../../models/pixart/noise.ts';
import { Tensor } from '../../../models/pixart/onnxruntime.ts';
import type { Sampler, SamplerState } from '../../../models/pixart/samplers/sampler.ts';
import type { Graph } from '../../../models/pixart/session.ts';
import { relativeError } from './golden-case.ts';
import { aloneAt, goldenNetworks } from './golden-networks.ts';

/** Gives the prediction itself instead of the latents that follow from it. */
function predictionOnly(noise: Float32Array, timesteps = [500]): Sampler {
  let latents = noise;
  return {
    timesteps,
    get latents() {
      return latents;
    },
    modelInput: () => latents,
    step(_, prediction) {
      latents = prediction;
    },
    save: () => [latents],
    restore: () => false,
  };
}

test.each([
  ['one call for both captions', 64, 64, 1],
  ['a call for each caption', 65, 64, 2],
])('a grid of tokens takes %s, with the same prediction (%i × %i)', async (_, rows, columns, calls) => {
  const { bundle, transformer } = await goldenNetworks('tiny-epsilon');
  const { heads, headWidth, latentChannels: channels } = bundle.description.transformer;
  const caption = (tokens: number): Caption => {
    const states = randomNormal(tokens * heads * headWidth, tokens);
    return { states, tokens };
  };
  const [height, width] = [2 * rows, 2 * columns];
  const [negative, prompt] = [caption(1), caption(9)];
  const noise = randomNormal(channels * height * width, 1);
  const positions = new Tensor('float32', randomNormal(rows * columns * heads * headWidth, 2), [
    1,
    rows * columns,
    heads * headWidth,
  ]);

  let made = 0;
  const counting: Graph = { ...transformer, run: (inputs) => transformer.run(inputs).finally(() => made++) };
  const fixed = { tokens: rows * columns, positions: { position_embedding: positions } };
  const inputs = { channels, height, width, ...fixed, prompt, negative, guidance: 4.5 };
  const found = await denoise(aloneAt(counting), predictionOnly(noise), inputs, {});

  const pair = await transformer.run({
    latents: new Tensor('float32', Float32Array.from([...noise, ...noise]), [2, channels, height, width]),
    timestep: new Tensor('float32', [500, 500], [2]),
    position_embedding: positions,
    ...captionInputs([negative, prompt]),
  });
  const expected = guide(pair.subarray(0, noise.length), pair.subarray(noise.length), 4.5);
  expect(made).toBe(calls);
  expect(relativeError(found, expected)).toBeLessThanOrEqual(1e-5);
});

test('latents that are not finite end the run at the step after which they are none, without a state to go on from', async () => {
  const caption: Caption = { states: new Float32Array(4), tokens: 1 };
  const transformer: Graph = { release: async () => {}, run: async () => Float32Array.of(1, 2, 3, Number.NaN) };

  const positions = new Tensor('float32', new Float32Array(4), [1, 1, 4]);
  const fixed = { tokens: 1, positions: { position_embedding: positions } };
  const inputs = { channels: 1, height: 2, width: 2, ...fixed, prompt: caption, negative: null, guidance: 1 };
  const states: SamplerState[] = [];
  const keeping = { everyMs: 0, keep: async (state: SamplerState) => void states.push(state) };
  const running = denoise(aloneAt(transformer), predictionOnly(new Float32Array(4), [900, 500, 100]), inputs, {
    keeping,
  });
  await expect(running).rejects.toThrow(
    /latents after step 1 of 3: expected finite numbers, found NaN.*export the checkpoint again/,
  );
  await expect(running).rejects.toThrow(UserError);
  expect(states).toEqual([]);
});
