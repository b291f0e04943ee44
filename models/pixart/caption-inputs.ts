import type { Caption } from './captions.ts';
import { Tensor } from './onnxruntime.ts';

/** The transformer's two text inputs: captions padded with zeros to the longest of them, and the mask of real tokens. */
export function captionInputs(captions: Caption[]): { caption: Tensor; caption_mask: Tensor } {
  const longest = longestOf(captions);
  const mask = new BigInt64Array(captions.length * longest);
  captions.forEach(({ tokens }, i) => {
    mask.fill(1n, i * longest, i * longest + tokens);
  });
  return { caption: padded(captions), caption_mask: new Tensor('int64', mask, [captions.length, longest]) };
}

/**
 * The same for a graph for CUDA: in place of a mask, how long each caption is, then where the queries of each image and
 * the keys of each caption begin, and where the last ones end.
 */
export function captionSpans(captions: Caption[], imageTokens: number): { caption: Tensor; caption_spans: Tensor } {
  const longest = longestOf(captions);
  const ends = Array.from({ length: captions.length + 1 }, (_, i) => i);
  const spans = [
    ...captions.map(({ tokens }) => tokens),
    ...ends.map((i) => i * imageTokens),
    ...ends.map((i) => i * longest),
  ];
  return { caption: padded(captions), caption_spans: new Tensor('int32', Int32Array.from(spans), [spans.length]) };
}

const longestOf = (captions: Caption[]): number => Math.max(...captions.map(({ tokens }) => tokens));

function padded(captions: Caption[]): Tensor {
  const longest = longestOf(captions);
  const width = captions[0]!.states.length / captions[0]!.tokens;
  const states = new Float32Array(captions.length * longest * width);
  captions.forEach((caption, i) => {
    states.set(caption.states, i * longest * width);
  });
  return new Tensor('float32', states, [captions.length, longest, width]);
}
