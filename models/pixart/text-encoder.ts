import { Tensor } from './onnxruntime.ts';
import type { Graph } from './session.ts';

/**
 * Runs the text encoder on one text's token ids, with as little padding as its graph bears: padding tokens are masked out
 * everywhere and change nothing, but the reference pays for all of them.
 *
 * @param multiple of which the number of tokens with padding is one
 * @returns text states [ids.length, width]
 */
export async function encodeText(textEncoder: Graph, ids: number[], multiple = 1): Promise<Float32Array> {
  const length = Math.ceil(ids.length / multiple) * multiple;
  const padded = new BigInt64Array(length);
  padded.set(ids.map(BigInt));
  const states = await textEncoder.run({
    input_ids: new Tensor('int64', padded, [1, length]),
    attention_mask: new Tensor('int64', new BigInt64Array(length).fill(1n, 0, ids.length), [1, length]),
  });
  return states.subarray(0, (states.length / length) * ids.length);
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
