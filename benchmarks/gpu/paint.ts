import type { Bundle, RenderRequest, RequestCaptions } from '../../models/pixart/index.ts';
import { randomNormal } from '../../models/pixart/noise.ts';
import type { Renderer } from '../../models/renderer/index.ts';
import type { Task } from './items.ts';
import type { Sample } from './results.ts';

/** As many as a usual prompt has. */
const CAPTION_TOKENS = 30;

export type Painted = { sample: Sample; pictures: Uint8Array[] };

/** Captions of the usual length; their content does not affect speed. */
export function captionsFor({ description }: Bundle): RequestCaptions {
  const { heads, headWidth } = description.transformer;
  const caption = (seed: number) => ({
    states: randomNormal(CAPTION_TOKENS * heads * headWidth, seed),
    tokens: CAPTION_TOKENS,
  });
  return { prompt: caption(1), negative: description.defaults.guidance > 1 ? caption(2) : null };
}

/** Requests that differ only in their seeds, with the bundle's default guidance. */
export function requestsFor(
  { description }: Bundle,
  { size, bin, steps, images }: Extract<Task, { kind: 'paint' | 'compare' }>,
): RenderRequest[] {
  const { guidance } = description.defaults;
  const request = { prompt: '', negativePrompt: '', size, bin, ...bin, steps, guidance };
  return Array.from({ length: images }, (_, seed) => ({ ...request, seed }));
}

/** Passes all requests to the renderer at once, as a worker does; the renderer decides which of them share a call. */
export async function paint(
  renderer: Renderer,
  requests: readonly RenderRequest[],
  captions: RequestCaptions,
): Promise<Painted> {
  const began = performance.now();
  const images = await Promise.all(requests.map((request) => renderer.render(request, captions)));
  const seconds = (performance.now() - began) / 1_000;
  const { denoiseMs, decodeMs } = images[0]!.timings;
  const sample = {
    seconds,
    images: images.length,
    together: Math.max(...images.map(({ microBatch = 1 }) => microBatch)),
    ...(images.length === 1 && { denoiseSeconds: denoiseMs / 1_000, decodeSeconds: decodeMs / 1_000 }),
  };
  return { sample, pictures: images.map(({ rgb }) => rgb) };
}
