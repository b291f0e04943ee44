import type { Caption } from './captions.ts';
import { Tensor } from './onnxruntime.ts';

/** The transformer's two text inputs: captions padded with zeros to the longest of them, and the mask of real tokens. */
export function captionInputs(captions: Caption[]): { caption: Tensor; caption_mask: Tensor } {
  const longest = Math.max(...captions.map(({ tokens }) => tokens));
  const width = captions[0]!.states.length / captions[0]!.tokens;
  const states = new Float32Array(captions.length * longest * width);
  const mask = new BigInt64Array(captions.length * longest);
  captions.forEach((caption, i) => {
    states.set(caption.states, i * longest * width);
    mask.fill(1n, i * longest, i * longest + caption.tokens);
  });
  return {
    caption: new Tensor('float32', states, [captions.length, longest, width]),
    caption_mask: new Tensor('int64', mask, [captions.length, longest]),
  };
}
