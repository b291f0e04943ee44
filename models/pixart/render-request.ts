import { type Picture, pictureOf } from '../../domain/job.ts';
import type { Thrift } from '../../domain/thrift.ts';
import type { SamplerState } from './samplers/sampler.ts';
import type { StateKeeping } from './state-keeping.ts';

/** Everything that decides an image's pixels, besides the bundle. */
export type RenderRequest = Omit<Picture, 'format' | 'quality'>;

/** What a renderer needs of a job. */
export function renderRequest(job: Picture): RenderRequest {
  const { format, quality, ...request } = pictureOf(job);
  return request;
}

export type RenderOptions = {
  /** Checked before every stage and step; `render` rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called after each denoising step, `step` counting from 1. */
  onStep?: ((step: number, steps: number) => void) | undefined;
  /** A state that an earlier run of the same request on the same bundle gave; one that does not fit is left aside. */
  resume?: SamplerState | undefined;
  /** Given, states come out every so often, and one when the run is aborted between two steps. */
  keeping?: StateKeeping | undefined;
  /** With less memory than usual: see ladder.ts. */
  thrift?: Thrift | undefined;
};

export type PaintedImage = {
  /** Rows from the top, three bytes a pixel. */
  rgb: Uint8Array;
  width: number;
  height: number;
  timings: { denoiseMs: number; decodeMs: number };
  /** The most images that shared a call of the transformer, this one included; missing where it had each call to itself. */
  microBatch?: number;
};

/** Where the graphs run. */
export type Device = 'cpu' | `cuda:${number}`;
