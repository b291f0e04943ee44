import { digestOf } from './digest.ts';
import { type Picture, pictureOf } from './job.ts';

/**
 * SHA-256 over a picture's canonical parameters. Same key, same image up to float noise.
 * The size counts beside the bin, as positions are scaled by it.
 */
export const renderKey = (picture: Picture, bundleDigest: string, pipelineVersion: number): string =>
  digestOf({ ...pictureOf(picture), bundle: bundleDigest, pipeline: pipelineVersion });
