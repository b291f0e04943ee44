import { setImmediate as turn } from 'node:timers/promises';
import type { WeightKind } from './bundle.ts';
import type { Caption } from './captions.ts';
import { finite } from './finite.ts';
import { guide, sharesCall } from './guidance.ts';
import type { RenderOptions } from './render-request.ts';
import type { Sampler } from './samplers/sampler.ts';
import { StateClock } from './state-keeping.ts';
import type { StepPlace } from './step-batcher.ts';
import type { LatentShape, Positions } from './step-inputs.ts';

export type DenoiseInputs = LatentShape & {
  /** Of the image. */
  tokens: number;
  positions: Positions;
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
 * Takes a sampler's noise, or the state that an earlier run was left in, to latents, a step at a time. With guidance,
 * negative prompt and prompt go through the transformer as one batch of two, or in two calls: see sharesCall.
 *
 * @param place at the transformer; the caller that entered it must leave it
 * @returns latents [channels, height, width]
 * @throws the signal's reason where it was aborted; it is looked at before each step and after the last. UserError
 * where the latents are not finite after a step.
 */
export async function denoise(
  place: StepPlace,
  sampler: Sampler,
  inputs: DenoiseInputs,
  { signal, onStep, resume, keeping }: RenderOptions,
): Promise<Float32Array> {
  const predict = predictor(place, inputs);
  const clock = new StateClock(keeping?.everyMs ?? Number.POSITIVE_INFINITY);
  const steps = sampler.timesteps.length;
  // What does not fit cannot be this request's: the run begins with noise then, and its first step says so.
  const first = resume && sampler.restore(resume) ? resume.step : 0;
  const keep = (step: number) => {
    place.rest();
    return keeping?.keep({ step, arrays: sampler.save() });
  };
  let done = first;
  while (true) {
    // The graph blocks this thread: only here can a message that asks to stop come in.
    await turn();
    if (signal?.aborted && done > first) await keep(done);
    signal?.throwIfAborted();
    if (done === steps) return sampler.latents;
    const prediction = await predict(sampler.modelInput(done), sampler.timesteps[done]!, signal);
    if (prediction === undefined) continue;
    sampler.step(done, prediction);
    done += 1;
    finite(sampler.latents, `latents after step ${done} of ${steps}`);
    onStep?.(done, steps);
    if (clock.due(done === steps)) await keep(done);
  }
}

type Predict = (
  latents: Float32Array,
  timestep: number,
  signal: AbortSignal | undefined,
) => Promise<Float32Array | undefined>;

/** Predicts with guidance; undefined where the signal was aborted meanwhile. */
function predictor(place: StepPlace, inputs: DenoiseInputs): Predict {
  const { channels, height, width, tokens, positions, negative, prompt, guidance, halves, weights } = inputs;
  const together = sharesCall({ tokens, halves, weights });
  const captions = negative ? [negative, prompt] : [prompt];
  const batches = together ? [captions] : captions.map((caption) => [caption]);
  const parts = batches.map((captions) => ({ shape: { channels, height, width }, tokens, positions, captions }));
  return async (latents, timestep, signal) => {
    const predictions: Float32Array[] = [];
    for (const fixed of parts) {
      const rows = await place.predict({ fixed, latents, timestep }, signal);
      if (rows === undefined) return undefined;
      predictions.push(...rows);
    }
    const [first, second] = predictions;
    return second ? guide(first!, second, guidance) : first!;
  };
}
