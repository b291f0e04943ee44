import type { Bundle } from './bundle.ts';
import { loadCaptionEncoder } from './caption-encoder.ts';
import { requestCaptions } from './captions.ts';
import { loadPainter } from './painter.ts';
import { promptReader } from './prompt-reader.ts';
import type { PaintedImage, RenderOptions, RenderRequest } from './render-request.ts';
import type { SessionOptions } from './session.ts';

/**
 * A bundle's networks, all of them loaded on one device: from text to picture in one process. Workers hold encoder and painter in
 * processes of their own: see models/renderer.
 */
export type Pipeline = {
  readonly bundle: Bundle;
  /** @throws UserError for a request that this bundle can never serve; the signal's reason where it was aborted. */
  render(request: RenderRequest, options?: RenderOptions): Promise<PaintedImage>;
  /** Frees the sessions. Start a new process rather than load another bundle in this one: sessions leak. */
  dispose(): Promise<void>;
};

/**
 * Loads the networks of a bundle that `verifyBundle` has found whole.
 *
 * @throws UserError where the device cannot be used, or a graph or the tokenizer cannot be loaded.
 * @throws DeviceFull
 */
export async function loadPipeline(bundle: Bundle, options: SessionOptions): Promise<Pipeline> {
  const { read } = await promptReader(bundle);
  const encoder = await loadCaptionEncoder(bundle, options);
  const painter = await loadPainter(bundle, options);
  return {
    bundle,

    async render(request, renderOptions) {
      const captions = await requestCaptions(request, (text) => encoder.encode(read(text).ids));
      return painter.paint(request, captions, renderOptions);
    },

    async dispose() {
      await encoder.dispose();
      await painter.dispose();
    },
  };
}
