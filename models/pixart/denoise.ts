import { setImmediate as turn } from 'node:timers/promises';
import { Tensor } from 'onnxruntime-node';
import { type Caption, captionInputs } from './captions.ts';
import type { Sampler } from './dpm-solver.ts';
import { guide } from './guidance.ts';
import type { RenderOptions } from './render-request.ts';
import type { Graph } from './session.ts';

export type DenoiseInputs = {
  /** [channels, height, width], standard normal. */
  noise: Float32Array;
  channels: number;
  height: number;
  width: number;
  /** [1, tokens of the image, width of the transformer] */
  positions: Tensor;
  prompt: Caption;
  /** Null where guidance is off. */
  negative: Caption | null;
  guidance: number;
};

/**
 * Takes noise to latents, one call of the transformer a step. With guidance, negative prompt and prompt go through it as
 * one batch of two.
 *
 * @returns latents [channels, height, width]
 * @throws the signal's reason where it was aborted; it is looked at before each step.
 */
export async function denoise(
  transformer: Graph,
  sampler: Sampler,
  inputs: DenoiseInputs,
  { signal, onStep }: RenderOptions,
): Promise<Float32Array> {
  const predict = predictor(transformer, inputs);
  const steps = sampler.timesteps.length;
  let latents = inputs.noise;
  for (const [i, timestep] of sampler.timesteps.entries()) {
    // The graph blocks this thread: only here can a message that asks to stop come in.
    await turn();
    signal?.throwIfAborted();
    latents = sampler.step(latents, await predict(latents, timestep));
    onStep?.(i + 1, steps);
  }
  return latents;
}

type Predict = (latents: Float32Array, timestep: number) => Promise<Float32Array>;

function predictor(transformer: Graph, inputs: DenoiseInputs): Predict {
  const { channels, height, width, positions, negative, prompt, guidance } = inputs;
  const captions = negative ? [negative, prompt] : [prompt];
  const fixed = { position_embedding: positions, ...captionInputs(captions) };
  return async (latents, timestep) => {
    const batch = new Float32Array(captions.length * latents.length);
    captions.forEach((_, i) => {
      batch.set(latents, i * latents.length);
    });
    const prediction = await transformer.run({
      ...fixed,
      latents: new Tensor('float32', batch, [captions.length, channels, height, width]),
      timestep: new Tensor('float32', new Float32Array(captions.length).fill(timestep), [captions.length]),
    });
    return negative ? guide(prediction, guidance) : prediction;
  };
}
