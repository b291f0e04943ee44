import { type GuidedPicture, sharesCall } from './guidance.ts';

/** Of a call: tokens of its images, once for each caption. Beyond it a device is busy in any case, and only memory grows. */
const CALL_TOKENS = 16_384;

/** What of an image decides how many of its kind share a call. */
type BatchedPicture = GuidedPicture & { isGuided: boolean };

/**
 * How many images of a kind share a call, of `microBatch` at most. One whose own captions do not share a call shares it
 * with no other.
 */
export function imagesInCall(picture: BatchedPicture, microBatch: number): number {
  if (!sharesCall(picture)) return 1;
  const rows = picture.isGuided ? 2 : 1;
  return Math.max(1, Math.min(microBatch, Math.floor(CALL_TOKENS / (rows * picture.tokens))));
}
