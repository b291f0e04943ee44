import type { Thrift } from '../../domain/thrift.ts';
import type { WeightKind } from './bundle.ts';

/** 1024 px. Above, one image fills any device and two would only need twice the memory. */
const BATCHED_TOKENS = 4096;

/** What decides how guidance is computed. */
export type GuidedPicture = Pick<Thrift, 'halves'> & {
  /** Of the image. */
  tokens: number;
  /** How the transformer's are stored; bundles of earlier exporters, none of them in int8, do not say. */
  weights?: WeightKind | undefined;
};

/**
 * Whether negative prompt and prompt go through the transformer in one call. In int8 never: what shares a call shares
 * the scale of its activations (docs/decisions/101), so that memory would change the picture.
 */
export const sharesCall = ({ tokens, halves, weights }: GuidedPicture): boolean =>
  !halves && weights !== 'int8' && tokens <= BATCHED_TOKENS;

/**
 * Classifier-free guidance: from what the negative prompt predicts towards, and past, what the prompt predicts.
 *
 * Source: Ho and Salimans, arXiv 2207.12598, in the form of diffusers' pipelines.
 */
export const guide = (negative: Float32Array, positive: Float32Array, strength: number): Float32Array =>
  negative.map((value, i) => value + strength * (positive[i]! - value));
