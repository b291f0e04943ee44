import { imagePredictor, type Level, levelOf } from './predicted-image.ts';
import { type DrawNoise, fits, type Sampler } from './sampler.ts';
import { checkSteps, noiseLevels } from './schedule.ts';
import type { LcmConfig } from './scheduler-config.ts';

/** Deviation of the images that consistency models are parametrised for. */
const DATA_DEVIATION = 0.5;

/**
 * Multistep consistency sampling: every step predicts the picture, and all but the last add fresh noise to it, drawn from the
 * same stream as the first.
 *
 * Source: Luo et al., arXiv 2310.04378, algorithm 3; diffusers, schedulers/scheduling_lcm.py.
 *
 * @throws UserError unless 1 ≤ steps ≤ originalSteps.
 */
export function lcm(config: LcmConfig, steps: number, drawNoise: DrawNoise): Sampler {
  const timesteps = lcmTimesteps(config, steps);
  const noise = noiseLevels(config);
  const levels = timesteps.map((timestep) => levelOf(noise[timestep]!));
  const predictImage = imagePredictor(config.prediction);
  let latents = drawNoise();
  return {
    timesteps,
    get latents() {
      return latents;
    },
    modelInput: () => latents,
    step(step, prediction) {
      const image = predictImage(latents, prediction, levels[step]!);
      const picture = boundary(latents, image, timesteps[step]! * config.timestepScaling);
      latents = step === steps - 1 ? picture : noised(picture, drawNoise(), levels[step + 1]!);
    },
    save: () => [latents],
    restore(state) {
      if (!fits(state, steps, 1, latents.length)) return false;
      [latents] = state.arrays as [Float32Array];
      // The steps to come draw what they would have drawn, so what the steps done drew is passed over.
      for (let step = 0; step < Math.min(state.step, steps - 1); step++) drawNoise();
      return true;
    },
  };
}

/** Spread over the timesteps that the model was distilled at, from the noisiest. */
function lcmTimesteps(config: LcmConfig, steps: number): number[] {
  checkSteps(config, steps);
  const { trainSteps, originalSteps } = config;
  const part = Math.floor(trainSteps / originalSteps);
  return Array.from({ length: steps }, (_, i) => (originalSteps - Math.floor(i * (originalSteps / steps))) * part - 1);
}

/** The consistency function: the predicted image, but the latents themselves where there is no noise. */
function boundary(latents: Float32Array, image: Float32Array, scaledTimestep: number): Float32Array {
  const variance = scaledTimestep ** 2 + DATA_DEVIATION ** 2;
  const skip = DATA_DEVIATION ** 2 / variance;
  const out = scaledTimestep / Math.sqrt(variance);
  return image.map((value, i) => out * value + skip * latents[i]!);
}

const noised = (picture: Float32Array, noise: Float32Array, { alpha, sigma }: Level): Float32Array =>
  picture.map((value, i) => alpha * value + sigma * noise[i]!);
