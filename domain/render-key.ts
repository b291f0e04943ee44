import { digestOf } from './digest.ts';
import { type Picture, pictureOf } from './job.ts';

/**
 * SHA-256 over a picture's canonical parameters. Same key, same image up to float noise.
 * The size counts beside the bin, as positions are scaled by it.
 */
export const renderKey = (picture: Picture, bundleDigest: string, pipelineVersion: number): string =>
  digestOf({ ...pictureOf(picture), bundle: bundleDigest, pipeline: pipelineVersion });

/**
 * The version of the pipeline, up to the newest, with which the bundle gives a job's own render key; `null` where none does: then it is
 * another picture's.
 */
export function pipelineVersionOf(
  job: Picture & { renderKey: string },
  bundleDigest: string,
  newest: number,
): number | null {
  for (let version = newest; version > 0; version -= 1) {
    if (renderKey(job, bundleDigest, version) === job.renderKey) return version;
  }
  return null;
}
