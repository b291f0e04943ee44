import type { Thrift } from '../../domain/thrift.ts';
import type {
  BundleRef,
  Caption,
  Device,
  PaintedImage,
  RenderRequest,
  RenderStage,
  RequestCaptions,
  SamplerState,
} from '../pixart/index.ts';

/** What a child holds: text encoder and caption projection, or transformer and decoder. Never both. */
export type ChildPart = 'encoder' | 'painter';

/**
 * The messages between a process and its child with networks. Both run the same build, so nothing is validated. Each
 * `load`, `encode` and `render` is a call with a number, and ends with exactly one `ready`, `encoded`, `done` or `failed`.
 * A child may have several renders in hand.
 */
export type ToChild = { call: number } & (
  | {
      kind: 'load';
      part: ChildPart;
      bundleFolder: string;
      device: Device;
      threads: number | undefined;
      microBatch: number | undefined;
    }
  | { kind: 'encode'; ids: number[] }
  | {
      kind: 'render';
      request: RenderRequest;
      captions: RequestCaptions;
      resume: SamplerState | undefined;
      stateEveryMs: number | undefined;
      thrift: Thrift | undefined;
    }
  | { kind: 'cancel' }
);

export type FromChild = { call: number } & ChildAnswer;

export type ChildAnswer =
  | { kind: 'ready'; bundle: BundleRef }
  | { kind: 'step'; step: number; steps: number }
  | { kind: 'state'; state: SamplerState }
  | { kind: 'encoded'; caption: Caption }
  | { kind: 'done'; image: PaintedImage; processorMs: number }
  | { kind: 'failed'; failure: ChildFailure };

/**
 * `user`: a person has to change the request or the bundle. `code`: this program is wrong, and would be again. `fault`:
 * what the process holds can no longer be trusted.
 */
export type ChildFailure = {
  cause: 'user' | 'cancelled' | 'code' | 'fault';
  /** Where memory ran out, if it did. */
  outOfMemoryAt?: RenderStage | undefined;
  name: string;
  message: string;
  stack: string | undefined;
};
