/** Factors of image and noise in latents at one noise level; their squares add up to 1. */
export type Level = { alpha: number; sigma: number };

/** @param noise the noise's deviation in relation to the image's factor: sigma over alpha */
export function levelOf(noise: number): Level {
  const alpha = 1 / Math.sqrt(noise * noise + 1);
  return { alpha, sigma: noise * alpha };
}

/** The noiseless image, from latents of a level and what the transformer predicted for them. */
type PredictImage = (latents: Float32Array, prediction: Float32Array, level: Level) => Float32Array;

/** By what a transformer was trained to predict: the noise, or the velocity (arXiv 2202.00512, appendix D). */
export const imagePredictor = (prediction: 'epsilon' | 'v_prediction'): PredictImage =>
  prediction === 'epsilon' ? imageFromNoise : imageFromVelocity;

const imageFromNoise: PredictImage = (latents, noise, { alpha, sigma }) =>
  latents.map((latent, i) => (latent - sigma * noise[i]!) / alpha);

const imageFromVelocity: PredictImage = (latents, velocity, { alpha, sigma }) =>
  latents.map((latent, i) => alpha * latent - sigma * velocity[i]!);
