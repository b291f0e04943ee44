import type { Bundle } from './bundle.ts';
import type { Caption } from './captions.ts';
import { textEncoderGraph } from './encoder-graphs.ts';
import { finite } from './finite.ts';
import { openGraph, type SessionOptions } from './session.ts';
import { encodeText, projectCaption } from './text-encoder.ts';

/** The networks that turn a text into what the transformer sees of it, loaded on one device. */
export type CaptionEncoder = {
  /**
   * @param ids of a text that a PromptReader has read
   * @throws UserError where the networks give numbers that are not finite
   */
  encode(ids: number[]): Promise<Caption>;
  dispose(): Promise<void>;
};

/**
 * Loads text encoder and caption projection of a bundle, and neither transformer nor decoder.
 *
 * @throws UserError where the device cannot be used or a graph cannot be loaded.
 * @throws DeviceFull
 */
export async function loadCaptionEncoder(bundle: Bundle, options: SessionOptions): Promise<CaptionEncoder> {
  const { file, multiple } = textEncoderGraph(bundle.description, options.device);
  const textEncoder = await openGraph(bundle, file, options);
  const projection = await openGraph(bundle, 'caption_projection.onnx', options);
  return {
    async encode(ids) {
      const textStates = await encodeText(textEncoder, ids, multiple);
      const states = await projectCaption(projection, textStates, ids.length);
      // A caption is kept for the whole fleet, and so would they be.
      return { states: finite(states, 'output of the text encoder'), tokens: ids.length };
    },

    async dispose() {
      for (const graph of [textEncoder, projection]) await graph.release();
    },
  };
}
