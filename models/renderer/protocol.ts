import type { BundleRef, Device, RenderedImage, RenderRequest, SamplerState } from '../pixart/index.ts';

/**
 * What a renderer and its child process say to each other. Both ends run from the same sources, so types are enough. The child
 * holds one image at a time and answers every `load` and `render` with exactly one `ready`, `done` or `failed`.
 */
export type ToChild =
  | { kind: 'load'; bundleFolder: string; device: Device; threads: number | undefined }
  | { kind: 'render'; request: RenderRequest; resume: SamplerState | undefined; stateEveryMs: number | undefined }
  | { kind: 'cancel' };

export type FromChild =
  | { kind: 'ready'; bundle: BundleRef }
  | { kind: 'step'; step: number; steps: number }
  | { kind: 'state'; state: SamplerState }
  | { kind: 'done'; image: RenderedImage; processorMs: number }
  | { kind: 'failed'; failure: ChildFailure };

/**
 * `user`: a person has to change the request or the bundle. `code`: this program is wrong, and would be again. `fault`: what the process holds can
 * no longer be trusted.
 */
export type ChildFailure = {
  cause: 'user' | 'cancelled' | 'code' | 'fault';
  name: string;
  message: string;
  stack: string | undefined;
};
