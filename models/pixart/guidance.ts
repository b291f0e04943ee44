/**
 * Classifier-free guidance: from what the negative prompt predicts towards, and past, what the prompt predicts.
 *
 * Source: Ho and Salimans, arXiv 2207.12598, in the form of diffusers' pipelines.
 *
 * @param pair [2, …]: the prediction for the negative prompt, then the one for the prompt.
 */
export function guide(pair: Float32Array, strength: number): Float32Array {
  const count = pair.length / 2;
  const negative = pair.subarray(0, count);
  const positive = pair.subarray(count);
  return negative.map((value, i) => value + strength * (positive[i]! - value));
}
