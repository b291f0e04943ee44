/**
 * Up to this many tokens of the image (1024 px), negative prompt and prompt share a call. Above, one image fills any device
 * and two would only need twice the memory.
 */
export const BATCHED_TOKENS = 4096;

/**
 * Classifier-free guidance: from what the negative prompt predicts towards, and past, what the prompt predicts.
 *
 * Source: Ho and Salimans, arXiv 2207.12598, in the form of diffusers' pipelines.
 */
export const guide = (negative: Float32Array, positive: Float32Array, strength: number): Float32Array =>
  negative.map((value, i) => value + strength * (positive[i]! - value));
