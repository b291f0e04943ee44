import { nearestBin } from '../domain/bins.ts';
import type { BundleRef } from '../domain/bundle-ref.ts';
import type { ImageFormat } from '../domain/image-format.ts';
import { type Job, type Picture, pictureOf } from '../domain/job.ts';
import type { Column, Signed } from '../domain/parameters.ts';
import { renderKey } from '../domain/render-key.ts';
import { seedOf } from '../domain/seed.ts';
import { SIZES, type Size, TILED_SIZES } from '../domain/size.ts';
import type { ExpandedRow } from './expansion/expand-cells.ts';
import { contentId, type JobIds } from './job-ids.ts';
import type { Problems } from './problems.ts';
import type { Row } from './row.ts';

/** Defaults for rows, and what their jobs are rendered with. */
export type JobOptions = {
  /** For rows without their own. `quality` applies only to lossy formats. */
  defaults: {
    size: Size;
    format: ImageFormat;
    quality: number | null;
    decode?: 'whole' | undefined;
    sign?: Signed | undefined;
  };
  bundle: BundleRef;
  /** Raised only when the pipeline renders different pixels; part of every render key. */
  pipelineVersion: number;
  /** Id of the batch, if seeds of rows without one also depend on it. */
  freshFor?: string | undefined;
  /** Further checks on a job, beyond the catalog's own. */
  obstacle?: ((job: Job) => Obstacle | null) | undefined;
};

/** Why a job cannot be rendered, and the column to blame. */
export type Obstacle = { column: Column; expected: string; found: string };

/** Images are enlarged at most this much over the sampled size. */
const MAX_ENLARGEMENT = 2;

/**
 * Makes a row's jobs, one per variant. Adds a problem for values that the bundle does not support, and for an id or copy name
 * that is missing or taken; do not use the jobs then.
 */
export function makeJobs(
  { raw, chosen }: ExpandedRow,
  row: Row,
  options: JobOptions,
  ids: JobIds,
  problems: Problems,
): Job[] {
  const picture = resolvePicture(row, options);
  const nameOf = (column: Column): string => raw.columns.get(column)?.name ?? column;
  const obstacle = findObstacle(picture, options.bundle);
  if (obstacle !== null) {
    problems.add({ ...obstacle, line: raw.line, column: nameOf(obstacle.column) });
    return [];
  }
  if (row.id !== undefined && !ids.claimRow(row.id, raw.line, nameOf('id'), problems)) return [];
  // Without an id, a combination gets the one that it would have as a row written out by hand.
  const id =
    row.id === undefined ? ids.numbered(contentId(raw)) : chosen === null ? row.id : `${row.id}-${chosen.suffix}`;
  const sign = options.defaults.sign === undefined ? null : { sign: options.defaults.sign };
  const jobs = Array.from({ length: row.variants }, (_, index): Job => {
    const variant = pictureOf(picture);
    variant.seed = (picture.seed + index) % 2 ** 32;
    const variantId = row.variants === 1 ? id : `${id}-${index + 1}`;
    const key = renderKey(variant, options.bundle.digest, options.pipelineVersion);
    const metadata = chosen === null ? raw.metadata : { ...chosen.metadata, ...raw.metadata };
    // Spread syntax takes V8 ten times as long.
    const job: Job = Object.assign(variant, { id: variantId, priority: row.priority }, sign, {
      renderKey: key,
      line: raw.line,
      metadata,
    });
    ids.claim(job, nameOf('id'), problems);
    return job;
  });
  // Variants differ in a few digits.
  const against = options.obstacle?.(jobs.at(-1)!) ?? null;
  if (against !== null) problems.add({ ...against, line: raw.line, column: nameOf(against.column) });
  return jobs;
}

/** Fills in the defaults. Width and height are met to the pixel by cropping; an aspect, or nothing, uses the bin as it is. */
function resolvePicture(row: Row, { defaults, bundle, freshFor }: JobOptions): Picture {
  const size = row.size ?? defaults.size;
  const shape = row.aspect ?? { width: row.width ?? 1, height: row.height ?? 1 };
  const bin = nearestBin(size, shape.width, shape.height);
  // Only the needed fields: merging two objects takes several times as long, and there may be a million jobs.
  const { prompt, negativePrompt } = row;
  return pictureOf({
    prompt,
    negativePrompt,
    size,
    bin,
    width: row.width ?? bin.width,
    height: row.height ?? bin.height,
    seed: row.seed ?? seedOf(row.prompt, freshFor),
    steps: row.steps ?? bundle.defaults.steps,
    guidance: row.guidance ?? bundle.defaults.guidance,
    decode: TILED_SIZES.includes(size) ? defaults.decode : undefined,
    format: defaults.format,
    quality: defaults.format === 'png' ? null : defaults.quality,
  });
}

function findObstacle(
  { size, bin, width, height, steps }: Picture,
  { name, sizes: served, maxSteps = Number.POSITIVE_INFINITY }: BundleRef,
): Obstacle | null {
  if (!served.includes(size)) {
    return { column: 'size', expected: `a size that the bundle serves: ${served.join(', ')}`, found: size };
  }
  if (steps > maxSteps) {
    const expected = `at most ${maxSteps}, the limit of bundle ${name}`;
    return { column: 'steps', expected, found: String(steps) };
  }
  if (Math.max(width / bin.width, height / bin.height) > MAX_ENLARGEMENT) {
    const larger = SIZES.slice(SIZES.indexOf(size) + 1).filter((other) => served.includes(other));
    const most = `at most ${MAX_ENLARGEMENT} times the ${bin.width}×${bin.height} of size ${size}`;
    const expected = larger.length === 0 ? most : `${most}, or a larger size (${larger.join(', ')})`;
    return { column: 'width', expected, found: `${width}×${height}` };
  }
  return null;
}
