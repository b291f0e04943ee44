import type { SchedulerConfig } from './bundle.ts';
import { noiseSchedule } from './noise-schedule.ts';
import type { SamplerState } from './sampler-state.ts';

/** Walks one image's latents from noise to picture; holds the state of one run. */
export type Sampler = {
  /** What the transformer is told at each step, noisiest first. */
  readonly timesteps: readonly number[];
  /** The image that was predicted in the last step; null before the first. */
  readonly previousImage: Float32Array | null;
  /** Latents after the next step, from the latents before it and what the transformer predicted for them. */
  step(latents: Float32Array, prediction: Float32Array): Float32Array;
};

/** Signal, noise and half the log signal-to-noise ratio at one noise level. */
type Level = { alpha: number; sigma: number; lambda: number };

/**
 * DPM-Solver++ (2M), midpoint, first order in the first and the last step; or of first order throughout, which is DDIM.
 *
 * Source: Lu et al., arXiv 2211.01095, algorithm 2; diffusers, schedulers/scheduling_dpmsolver_multistep.py, with
 * `final_sigmas_type="zero"`, where the last step lands on the predicted image.
 *
 * @param resume goes on behind the step in which this state was taken, with the same arithmetic
 * @throws UserError where `noiseSchedule` does.
 */
export function dpmSolver(config: SchedulerConfig, steps: number, resume?: SamplerState): Sampler {
  const { timesteps, sigmas } = noiseSchedule(config, steps);
  const levels = sigmas.map(levelOf);
  const predictImage = config.prediction === 'epsilon' ? imageFromNoise : imageFromVelocity;
  let index = resume?.step ?? 0;
  let previousImage = resume?.previousImage ?? null;
  return {
    timesteps,
    get previousImage() {
      return previousImage;
    },
    step(latents, prediction) {
      const from = levels[index]!;
      const to = levels[index + 1]!;
      const image = predictImage(latents, prediction, from);
      const next =
        previousImage === null || index === steps - 1 || config.order === 1
          ? firstOrder(latents, image, from, to)
          : secondOrder(latents, image, previousImage, levels[index - 1]!, from, to);
      previousImage = image;
      index += 1;
      return next;
    },
  };
}

function levelOf(noise: number): Level {
  const alpha = 1 / Math.sqrt(noise * noise + 1);
  const sigma = noise * alpha;
  return { alpha, sigma, lambda: Math.log(alpha) - Math.log(sigma) };
}

const imageFromNoise = (latents: Float32Array, noise: Float32Array, { alpha, sigma }: Level): Float32Array =>
  latents.map((latent, i) => (latent - sigma * noise[i]!) / alpha);

const imageFromVelocity = (latents: Float32Array, velocity: Float32Array, { alpha, sigma }: Level): Float32Array =>
  latents.map((latent, i) => alpha * latent - sigma * velocity[i]!);

function firstOrder(latents: Float32Array, image: Float32Array, from: Level, to: Level): Float32Array {
  const keep = to.sigma / from.sigma;
  const gain = -to.alpha * Math.expm1(from.lambda - to.lambda);
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
  const gain = -to.alpha * Math.expm1(from.lambda - to.lambda);
  const slope = (0.5 * (to.lambda - from.lambda)) / (from.lambda - before.lambda);
  return latents.map((latent, i) => keep * latent + gain * (image[i]! + slope * (image[i]! - previousImage[i]!)));
}
