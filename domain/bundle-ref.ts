import type { Size } from './size.ts';

/** What planning and render keys need to know about a bundle; the renderer reads the rest from its `bundle.json`. */
export type BundleRef = {
  name: string;
  /** SHA-256 of `bundle.json`. */
  digest: string;
  sizes: Size[];
  defaults: { steps: number; guidance: number };
  /** The maximum number of steps of its sampler; absent in batches and schedules of earlier versions. */
  maxSteps?: number | undefined;
  /** Digest of its text encoder, whose captions are stored; absent in batches and schedules of earlier versions. */
  encoder?: string | undefined;
};

/** The digest as shown to people and used in queue names, so that one can be found from the other. */
export const shortDigest = (digest: string): string => digest.slice(0, 12);
