import { imagePredictor, type Level, levelOf } from './predicted-image.ts';
import { type DrawNoise, fits, type Sampler } from './sampler.ts';
import { checkSteps, noiseLevels, roundHalfEven, trailing } from './schedule.ts';
import type { DpmSolverConfig } from './scheduler-config.ts';

/**
 * DPM-Solver++ (2M), midpoint, first order in the first and the last step; or of first order throughout, which is DDIM.
 *
 * Source: Lu et al., arXiv 2211.01095, algorithm 2; diffusers, schedulers/scheduling_dpmsolver_multistep.py, with
 * `final_sigmas_type="zero"`, where the last step lands on the predicted image.
 *
 * @throws UserError unless 1 ≤ steps < trainSteps.
 */
export function dpmSolver(config: DpmSolverConfig, steps: number, drawNoise: DrawNoise): Sampler {
  const { timesteps, sigmas } = dpmSchedule(config, steps);
  const levels = sigmas.map(levelOf);
  const predictImage = imagePredictor(config.prediction);
  let latents = drawNoise();
  let previousImage: Float32Array | null = null;
  return {
    timesteps,
    get latents() {
      return latents;
    },
    modelInput: () => latents,
    step(step, prediction) {
      const from = levels[step]!;
      const to = levels[step + 1]!;
      const image = predictImage(latents, prediction, from);
      latents =
        previousImage === null || step === steps - 1 || config.order === 1
          ? firstOrder(latents, image, from, to)
          : secondOrder(latents, image, previousImage, levels[step - 1]!, from, to);
      previousImage = image;
    },
    save: () => [latents, previousImage!],
    restore(state) {
      if (!fits(state, steps, 2, latents.length)) return false;
      [latents, previousImage] = state.arrays as [Float32Array, Float32Array];
      return true;
    },
  };
}

/** The timesteps of a run, noisiest first, with a noise level for each and a last one of zero. */
export function dpmSchedule(config: DpmSolverConfig, steps: number): { timesteps: number[]; sigmas: number[] } {
  checkSteps(config, steps);
  const timesteps =
    config.spacing === 'linspace' ? linspaced(config.trainSteps, steps) : trailing(config.trainSteps, steps);
  const noise = noiseLevels(config);
  return { timesteps, sigmas: [...timesteps.map((timestep) => noise[timestep]!), 0] };
}

/** From the last training step down in equal parts; zero itself is left out. */
const linspaced = (trainSteps: number, steps: number): number[] =>
  Array.from({ length: steps }, (_, i) => roundHalfEven((steps - i) * ((trainSteps - 1) / steps)));

/** Half the log signal-to-noise ratio. */
const lambda = ({ alpha, sigma }: Level): number => Math.log(alpha) - Math.log(sigma);

function firstOrder(latents: Float32Array, image: Float32Array, from: Level, to: Level): Float32Array {
  const keep = to.sigma / from.sigma;
  const gain = -to.alpha * Math.expm1(lambda(from) - lambda(to));
  return latents.map((latent, i) => keep * latent + gain * image[i]!);
}

function secondOrder(
  latents: Float32Array,
  image: Float32Array,
  previousImage: Float32Array,
  before: Level,
  from: Level,
  to: Level,
): Float32Array {
  const keep = to.sigma / from.sigma;
  const gain = -to.alpha * Math.expm1(lambda(from) - lambda(to));
  const slope = (0.5 * (lambda(to) - lambda(from))) / (lambda(from) - lambda(before));
  return latents.map((latent, i) => keep * latent + gain * (image[i]! + slope * (image[i]! - previousImage[i]!)));
}
