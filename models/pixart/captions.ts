import { captionText } from './clean-caption.ts';
import { Tensor } from './onnxruntime.ts';
import type { Graph } from './session.ts';
import { encodeText, projectCaption } from './text-encoder.ts';
import type { Tokenize } from './tokenizer.ts';

/** What the transformer sees of one text. */
export type Caption = {
  /** [tokens, width of the transformer] */
  states: Float32Array;
  tokens: number;
  /** Tokens of the text before truncation. */
  tokensBeforeTruncation: number;
};

export type CaptionNetworks = { tokenize: Tokenize; textEncoder: Graph; captionProjection: Graph };

/** Texts whose captions are kept; the negative prompt is the same in most jobs, and variants share their prompt. */
const KEPT = 32;

/** Turns texts into captions and keeps the last few. */
export function captionSource(networks: CaptionNetworks, clean: boolean): (text: string) => Promise<Caption> {
  const kept = new Map<string, Caption>();
  return async (text) => {
    const caption = kept.get(text) ?? (await makeCaption(networks, captionText(text, clean)));
    // A Map keeps the order of insertion, so the first key is the one that was used longest ago.
    kept.delete(text);
    kept.set(text, caption);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
    return caption;
  };
}

async function makeCaption(networks: CaptionNetworks, text: string): Promise<Caption> {
  const { ids, count } = networks.tokenize(text);
  const textStates = await encodeText(networks.textEncoder, ids);
  const states = await projectCaption(networks.captionProjection, textStates, ids.length);
  return { states, tokens: ids.length, tokensBeforeTruncation: count };
}

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
