import { imagePredictor, levelOf } from './predicted-image.ts';
import { type DrawNoise, fits, type Sampler } from './sampler.ts';
import { checkSteps, noiseLevels, trailing } from './schedule.ts';
import type { EulerConfig } from './scheduler-config.ts';

const { fround } = Math;

/**
 * Euler's method on latents that are the image plus noise of deviation sigma, without churn. The transformer is shown them
 * scaled to the variance that it was trained at.
 *
 * Source: Karras et al., arXiv 2206.00364, algorithm 2 with S_churn = 0; diffusers, schedulers/scheduling_euler_discrete.py,
 * with `final_sigmas_type="zero"` and `interpolation_type="linear"`.
 *
 * @throws UserError unless 1 ≤ steps ≤ trainSteps.
 */
export function euler(config: EulerConfig, steps: number, drawNoise: DrawNoise): Sampler {
  const { timesteps, sigmas } = eulerSchedule(config, steps);
  const levels = sigmas.map(levelOf);
  const predictImage = imagePredictor(config.prediction);
  let latents: Float32Array = drawNoise().map((value) => sigmas[0]! * value);
  // The step's input is needed again when its prediction has come; the latents move on only then.
  let input: Float32Array | null = null;
  const modelInput = (step: number): Float32Array => {
    input ??= latents.map((latent) => levels[step]!.alpha * latent);
    return input;
  };
  return {
    timesteps,
    get latents() {
      return latents;
    },
    modelInput,
    step(step, prediction) {
      const image = predictImage(modelInput(step), prediction, levels[step]!);
      const keep = sigmas[step + 1]! / sigmas[step]!;
      latents = latents.map((latent, i) => image[i]! + keep * (latent - image[i]!));
      input = null;
    },
    save: () => [latents],
    restore(state) {
      if (!fits(state, steps, 1, latents.length)) return false;
      [latents] = state.arrays as [Float32Array];
      return true;
    },
  };
}

/** The timesteps of a run, noisiest first, whole or not, with a noise level for each and a last one of zero. */
function eulerSchedule(config: EulerConfig, steps: number): { timesteps: number[]; sigmas: number[] } {
  checkSteps(config, steps);
  const timesteps =
    config.spacing === 'linspace' ? linspaced(config.trainSteps, steps) : trailing(config.trainSteps, steps);
  const noise = noiseLevels(config);
  return { timesteps, sigmas: [...timesteps.map((timestep) => fround(interpolated(noise, timestep))), 0] };
}

/** From the last training step down to the first in equal parts, not rounded; a single step is the first of them. */
const linspaced = (trainSteps: number, steps: number): number[] =>
  Array.from({ length: steps }, (_, i) => fround((steps - 1 - i) * ((trainSteps - 1) / Math.max(steps - 1, 1))));

function interpolated(levels: Float32Array, timestep: number): number {
  const below = Math.floor(timestep);
  const above = Math.min(below + 1, levels.length - 1);
  return levels[below]! + (timestep - below) * (levels[above]! - levels[below]!);
}
