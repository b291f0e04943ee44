import { Tensor } from './onnxruntime.ts';
import type { Graph } from './session.ts';

/**
 * Runs the text encoder on one text's token ids, without padding: padding tokens are masked out everywhere and change
 * nothing, but the reference pays for all of them.
 *
 * @returns text states [ids.length, width]
 */
export function encodeText(textEncoder: Graph, ids: number[]): Promise<Float32Array> {
  return textEncoder.run({
    input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
    attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), [1, ids.length]),
  });
}

/**
 * Runs the transformer's caption projection, which is the same at every step, once.
 *
 * @param textStates [tokens, width of the text encoder]
 * @returns [tokens, width of the transformer]
 */
export function projectCaption(
  captionProjection: Graph,
  textStates: Float32Array,
  tokens: number,
): Promise<Float32Array> {
  return captionProjection.run({
    text_states: new Tensor('float32', textStates, [1, tokens, textStates.length / tokens]),
  });
}
