import type { Size } from '../../domain/size.ts';
import type { SamplerState } from './samplers/sampler.ts';
import type { StateKeeping } from './state-keeping.ts';

/** Everything that decides one image, besides the bundle. */
export type RenderRequest = {
  prompt: string;
  negativePrompt: string;
  size: Size;
  /** Pixels that are sampled: multiples of the VAE's factor times the patch. */
  bin: { height: number; width: number };
  /** Pixels of the finished image: the bin is resized and centre-cropped to them. */
  width: number;
  height: number;
  /** 0 … 2³² − 1. */
  seed: number;
  steps: number;
  /** Strength of classifier-free guidance; 1 turns it off. */
  guidance: number;
};

export type RenderOptions = {
  /** Checked before every stage and step; `render` rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called after each denoising step, `step` counting from 1. */
  onStep?: ((step: number, steps: number) => void) | undefined;
  /** A state that an earlier run of the same request on the same bundle gave; one that does not fit is left aside. */
  resume?: SamplerState | undefined;
  /** Given, states come out every so often, and one when the run is aborted between two steps. */
  keeping?: StateKeeping | undefined;
};

export type RenderedImage = {
  /** Rows from the top, three bytes a pixel. */
  rgb: Uint8Array;
  width: number;
  height: number;
  timings: { encodeMs: number; denoiseMs: number; decodeMs: number };
  /** Tokens of the cleaned prompt with its end token, before truncation. */
  promptTokens: number;
  /** The prompt was longer than the bundle's limit; its end was not seen. */
  promptTruncated: boolean;
};

/** Where the graphs run. */
export type Device = 'cpu' | `cuda:${number}`;
