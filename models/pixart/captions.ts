import type { RenderRequest } from './render-request.ts';

/** What the transformer sees of one text. */
export type Caption = {
  /** [tokens, width of the transformer] */
  states: Float32Array;
  tokens: number;
};

/** All that a picture's painter sees of its texts; `negative` is null where guidance is off. */
export type RequestCaptions = { prompt: Caption; negative: Caption | null };

/** The texts of a request that a painter sees, as far as they are heard: without guidance there is no negative prompt. */
export const textsOf = ({
  prompt,
  negativePrompt,
  guidance,
}: Pick<RenderRequest, 'prompt' | 'negativePrompt' | 'guidance'>): [prompt: string, ...negative: string[]] =>
  guidance > 1 ? [prompt, negativePrompt] : [prompt];

/** The captions of a request, each made or found by `captionOf`. */
export async function requestCaptions(
  request: Pick<RenderRequest, 'prompt' | 'negativePrompt' | 'guidance'>,
  captionOf: (text: string) => Promise<Caption>,
): Promise<RequestCaptions> {
  const [prompt, negative] = textsOf(request);
  return { prompt: await captionOf(prompt), negative: negative === undefined ? null : await captionOf(negative) };
}
