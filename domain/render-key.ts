import { sha256 } from './digest.ts';
import { type Picture, pictureSchema } from './job.ts';
import { keysOf } from './parameters.ts';

/**
 * SHA-256 over a picture's canonical parameters. Same key, same image up to float noise.
 * The size counts beside the bin, as positions are scaled by it.
 */
export const renderKey = (picture: Picture, bundleDigest: string, pipelineVersion: number): string =>
  sha256(canonicalText(picture, bundleDigest, pipelineVersion));

/** JSON with sorted keys, written out: what finds out their order for each of a catalog's pictures takes ten times as long. */
function canonicalText(picture: Picture, bundle: string, pipeline: number): string {
  let text = '';
  for (const [key, name] of SORTED) {
    const value = key === 'bundle' ? bundle : key === 'pipeline' ? pipeline : picture[key];
    if (value === undefined) continue;
    text += `${text === '' ? '{' : ','}${name}:${typeof value === 'number' ? value : textOf(value)}`;
  }
  return `${text}}`;
}

const textOf = (value: Picture[keyof Picture]): string =>
  typeof value === 'object' && value !== null ? binText(value) : JSON.stringify(value);

const binText = ({ height, width }: Picture['bin']): string => `{"height":${height},"width":${width}}`;

const SORTED = [...keysOf(pictureSchema.shape), 'bundle' as const, 'pipeline' as const]
  .sort()
  .map((key) => [key, JSON.stringify(key)] as const);

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
