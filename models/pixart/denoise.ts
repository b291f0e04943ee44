import { setImmediate as turn } from 'node:timers/promises';
import type { WeightKind } from './bundle.ts';
import { captionInputs } from './caption-inputs.ts';
import type { Caption } from './captions.ts';
import { finite } from './finite.ts';
import { guide, sharesCall } from './guidance.ts';
import { Tensor } from './onnxruntime.ts';
import type { RenderOptions } from './render-request.ts';
import type { Sampler } from './samplers/sampler.ts';
import type { Graph } from './session.ts';
import { StateClock } from './state-keeping.ts';

export type DenoiseInputs = {
  /** Of the latents. */
  channels: number;
  height: number;
  width: number;
  /** [1, tokens of the image, width of the transformer] */
  positions: Tensor;
  prompt: Caption;
  /** Null where guidance is off. */
  negative: Caption | null;
  guidance: number;
  /** Negative prompt and prompt go in two calls in any case. */
  halves?: true | undefined;
  /** How the transformer's are stored: see sharesCall. */
  weights?: WeightKind | undefined;
};

/**
 * Takes a sampler's noise, or the state that an earlier run was left in, to latents, a step at a time. With guidance, negative
 * prompt and prompt go through the transformer as one batch of two, or in two calls: see sharesCall.
 *
 * @returns latents [channels, height, width]
 * @throws the signal's reason where it was aborted; it is looked at before each step and after the last. UserError where the latents
 * are not finite after a step.
 */
export async function denoise(
  transformer: Graph,
  sampler: Sampler,
  inputs: DenoiseInputs,
  { signal, onStep, resume, keeping }: RenderOptions,
): Promise<Float32Array> {
  const predict = predictor(transformer, inputs);
  const clock = new StateClock(keeping?.everyMs ?? Number.POSITIVE_INFINITY);
  const steps = sampler.timesteps.length;
  // What does not fit cannot be this request's: the run begins with noise then, and its first step says so.
  const first = resume && sampler.restore(resume) ? resume.step : 0;
  const keep = (step: number) => keeping?.keep({ step, arrays: sampler.save() });
  for (let done = first; ; done++) {
    // The graph blocks this thread: only here can a message that asks to stop come in.
    await turn();
    if (signal?.aborted && done > first) await keep(done);
    signal?.throwIfAborted();
    if (done === steps) return sampler.latents;
    sampler.step(done, await predict(sampler.modelInput(done), sampler.timesteps[done]!));
    finite(sampler.latents, `latents after step ${done + 1} of ${steps}`);
    onStep?.(done + 1, steps);
    if (clock.due(done + 1 === steps)) await keep(done + 1);
  }
}

type Predict = (latents: Float32Array, timestep: number) => Promise<Float32Array>;

function predictor(transformer: Graph, inputs: DenoiseInputs): Predict {
  const { positions, negative, prompt, guidance, halves, weights } = inputs;
  const together = sharesCall({ tokens: positions.dims[1]!, halves, weights });
  const captions = negative ? [negative, prompt] : [prompt];
  const batches = together ? [captions] : captions.map((caption) => [caption]);
  const fixed = batches.map((batch) => ({ position_embedding: positions, ...captionInputs(batch) }));
  return async (latents, timestep) => {
    const predictions: Float32Array[] = [];
    for (const [i, batch] of batches.entries()) {
      const moving = movingInputs(inputs, latents, timestep, batch.length);
      predictions.push(...split(await transformer.run({ ...fixed[i]!, ...moving }), batch.length));
    }
    const [first, second] = predictions;
    return second ? guide(first!, second, guidance) : first!;
  };
}

/** The same latents and timestep for every caption of a batch. */
function movingInputs(
  { channels, height, width }: DenoiseInputs,
  latents: Float32Array,
  timestep: number,
  count: number,
): { latents: Tensor; timestep: Tensor } {
  const repeated = new Float32Array(count * latents.length);
  for (let i = 0; i < count; i++) repeated.set(latents, i * latents.length);
  return {
    latents: new Tensor('float32', repeated, [count, channels, height, width]),
    timestep: new Tensor('float32', new Float32Array(count).fill(timestep), [count]),
  };
}

function split(batch: Float32Array, count: number): Float32Array[] {
  const length = batch.length / count;
  return Array.from({ length: count }, (_, i) => batch.subarray(i * length, (i + 1) * length));
}
