import { sha256 } from './digest.ts';
import { type Picture, pictureSchema } from './job.ts';
import { keysOf } from './parameters.ts';

/**
 * SHA-256 over an image's canonical parameters. Same key, same image up to float noise.
 * The size counts in addition to the bin, because positions are scaled by it.
 */
export const renderKey = (picture: Picture, bundleDigest: string, pipelineVersion: number): string =>
  sha256(canonicalText(picture, bundleDigest, pipelineVersion));

/** JSON with sorted keys, in a fixed order: sorting the keys for every image of a catalog takes ten times as long. */
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
 * The pipeline version, up to the newest, that reproduces a job's render key with this bundle; `null` if none does: then the
 * key is another image's.
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
