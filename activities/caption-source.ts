import type { RequestCaptions } from '../models/pixart/index.ts';
import type { RenderRequest } from '../models/pixart/render-request.ts';
import type { ObjectStore } from '../store/index.ts';

/**
 * Looks for the captions of a request's texts, which takes as long as the store does, and returns a function that
 * encodes those that are missing, which needs no store.
 *
 * @throws CaptionNotKept if one is missing and this process cannot encode it; StoreUnavailable if it cannot be read
 * either; the signal's reason
 */
export type CaptionSource = (store: ObjectStore, request: RenderRequest, signal: AbortSignal) => Promise<EncodeMissing>;

/**
 * Returns the captions of a request's texts, as a painter needs them.
 *
 * @param onEncoded called for each text that was encoded for this request
 * @throws UserError, RendererDied, RenderFault; the reason of the signal that the texts were looked for with
 */
export type EncodeMissing = (onEncoded?: OnEncoded) => Promise<RequestCaptions>;

/** Called with the milliseconds that encoding a text took, for only one of the requests that share the work. */
export type OnEncoded = (ms: number) => void;
