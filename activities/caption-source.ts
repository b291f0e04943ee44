import { type Caption, type PromptReader, type RequestCaptions, requestCaptions } from '../models/pixart/index.ts';
import type { RenderRequest } from '../models/pixart/render-request.ts';
import type { Encoder } from '../models/renderer/index.ts';
import type { ObjectStore } from '../store/index.ts';

/**
 * Gives what a painter sees of a request's texts.
 *
 * @throws RendererDied, RenderFault; the signal's reason
 */
export type CaptionSource = (
  store: ObjectStore,
  request: RenderRequest,
  signal: AbortSignal,
) => Promise<RequestCaptions>;

/** Texts whose captions are kept; the negative prompt is the same in most jobs, and variants share their prompt. */
const KEPT = 32;

/** Encodes texts as they come and keeps the last few. */
export function encodedCaptions({ read }: PromptReader, { encode }: Encoder): CaptionSource {
  const kept = new Map<string, Promise<Caption>>();

  return (_store, request, signal) =>
    requestCaptions(request, async (text) => {
      const { ids } = read(text);
      const key = ids.join();
      const caption = kept.get(key) ?? encode(ids, signal);
      caption.catch(() => kept.delete(key));
      // A Map keeps the order of insertion, so the first key is the one that was used longest ago.
      kept.delete(key);
      kept.set(key, caption);
      if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
      return caption;
    });
}
