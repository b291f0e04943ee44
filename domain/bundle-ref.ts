import type { Size } from './size.ts';

/** What planning and render keys need to know of a bundle; its `bundle.json` tells the rest to the renderer. */
export type BundleRef = {
  name: string;
  /** SHA-256 of `bundle.json`. */
  digest: string;
  sizes: Size[];
  defaults: { steps: number; guidance: number };
  /** The most steps that its sampler takes; batches and schedules of earlier versions do not say. */
  maxSteps?: number | undefined;
  /** Digest of its text encoder, whose captions are kept; batches and schedules of earlier versions do not say. */
  encoder?: string | undefined;
};

/** As people are shown it and queues are named by it, so that the one can be found by the other. */
export const shortDigest = (digest: string): string => digest.slice(0, 12);
