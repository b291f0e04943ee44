/**
 * Classifier-free guidance: from what the negative prompt predicts towards, and past, what the prompt predicts.
 *
 * Source: Ho and Salimans, arXiv 2207.12598, in the form of diffusers' pipelines.
 */
export const guide = (negative: Float32Array, positive: Float32Array, strength: number): Float32Array =>
  negative.map((value, i) => value + strength * (positive[i]! - value));
