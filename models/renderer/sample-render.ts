import { nearestBin } from '../../domain/bins.ts';
import type { Size } from '../../domain/size.ts';
import type { Bundle, RenderRequest, RequestCaptions } from '../pixart/index.ts';

/** As many as a short prompt has. */
const TOKENS = 20;

/** A square image of a size, with as many steps as a measurement needs. */
export function sampleRequest({ description }: Bundle, size: Size, steps: number): RenderRequest {
  const bin = nearestBin(size, 1, 1);
  const { guidance } = description.defaults;
  return { prompt: '', negativePrompt: '', size, bin, ...bin, seed: 1, steps, guidance };
}

/** Captions of made-up numbers, which cost as much as real ones and need no encoder. */
export function sampleCaptions({ description }: Bundle): RequestCaptions {
  const { heads, headWidth } = description.transformer;
  const states = Float32Array.from({ length: TOKENS * heads * headWidth }, (_, i) => Math.sin(i));
  const caption = { states, tokens: TOKENS };
  return { prompt: caption, negative: description.defaults.guidance > 1 ? caption : null };
}
