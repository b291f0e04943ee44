import type { Renderer } from '../models/renderer/index.ts';
import { currentWatch } from './stage-watch.ts';
import { clockMs } from './tracing/span.ts';

/** The same renderer, which tells the activity's watch how long each of its stages took. */
export function watchedRenderer(renderer: Renderer): Renderer {
  return {
    ...renderer,
    async render(request, options) {
      const asked = clockMs();
      const image = await renderer.render(request, options);
      const { encodeMs, denoiseMs, decodeMs } = image.timings;
      const watch = currentWatch();
      const stages = [
        ['wait', image.waitMs],
        ['text_encode', encodeMs],
        ['denoise', denoiseMs],
        ['decode', decodeMs],
      ] as const;
      let startMs = asked;
      for (const [stage, ms] of stages) {
        watch?.stage(stage, startMs, startMs + ms);
        startMs += ms;
      }
      return image;
    },
  };
}
