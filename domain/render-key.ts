import { digestOf } from './identity.ts';
import type { Job } from './job.ts';

/** The part of a job that decides its pixels and their encoding. */
export type Picture = Omit<Job, 'id' | 'priority' | 'renderKey' | 'line' | 'metadata'>;

/**
 * SHA-256 over a picture's canonical parameters. Same key, same image up to float noise.
 * The size counts beside the bin, as positions are scaled by it.
 */
export function renderKey(picture: Picture, bundleDigest: string, pipelineVersion: number): string {
  const { prompt, negativePrompt, size, bin, width, height, seed, steps, guidance, format, quality } = picture;
  return digestOf({
    prompt,
    negativePrompt,
    size,
    bin,
    width,
    height,
    seed,
    steps,
    guidance,
    format,
    quality,
    bundle: bundleDigest,
    pipeline: pipelineVersion,
  });
}
