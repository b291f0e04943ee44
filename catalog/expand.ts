import { nearestBin } from './bins.ts';
import { contentId, seedOf } from './identity.ts';
import type { Bin, ImageFormat, Job } from './job.ts';
import type { JobIds } from './job-ids.ts';
import type { Problems } from './problems.ts';
import type { RawRow } from './raw-row.ts';
import { type Picture, renderKey } from './render-key.ts';
import type { Row } from './row.ts';
import type { Size } from './size.ts';

/** What rows leave open, and what their jobs are rendered with. */
export type ExpandOptions = {
  /** For rows that do not say. `quality` counts for the lossy formats only. */
  defaults: { size: Size; format: ImageFormat; quality: number | null };
  bundle: { digest: string; sizes: readonly Size[]; defaults: { steps: number; guidance: number } };
  /** Raised only when the pipeline's pixels change; part of every render key. */
  pipelineVersion: number;
};

/** Pictures are enlarged at most this much over what was sampled. */
const MAX_ENLARGEMENT = 2;

/**
 * Makes a row's jobs, one for each variant. Adds a problem for what the bundle cannot serve and for an id that is
 * taken; then the jobs are not to be used.
 */
export function expandRow(raw: RawRow, row: Row, options: ExpandOptions, ids: JobIds, problems: Problems): Job[] {
  const size = row.size ?? options.defaults.size;
  const column = (name: 'id' | 'size' | 'width'): string => raw.columns.get(name)?.name ?? name;
  if (!options.bundle.sizes.includes(size)) {
    const expected = `a size that the bundle serves: ${options.bundle.sizes.join(', ')}`;
    problems.add({ line: raw.line, column: column('size'), expected, found: size });
    return [];
  }
  const shape = resolveShape(row, size);
  if (isBlownUp(shape)) {
    const expected = `at most ${MAX_ENLARGEMENT} times the ${shape.bin.width}×${shape.bin.height} of size ${size}`;
    problems.add({ line: raw.line, column: column('width'), expected, found: `${shape.width}×${shape.height}` });
    return [];
  }
  const id = row.id ?? ids.numbered(contentId(raw));
  const seed = row.seed ?? seedOf(row.prompt);
  return Array.from({ length: row.variants }, (_, index) => {
    const picture: Picture = {
      prompt: row.prompt,
      negativePrompt: row.negative_prompt,
      size,
      bin: shape.bin,
      width: shape.width,
      height: shape.height,
      seed: (seed + index) % 2 ** 32,
      steps: row.steps ?? options.bundle.defaults.steps,
      guidance: row.guidance ?? options.bundle.defaults.guidance,
      format: options.defaults.format,
      quality: options.defaults.format === 'png' ? null : options.defaults.quality,
    };
    const jobId = row.variants === 1 ? id : `${id}-${index + 1}`;
    ids.claim(jobId, raw.line, column('id'), problems);
    return {
      ...picture,
      id: jobId,
      priority: row.priority,
      renderKey: renderKey(picture, options.bundle.digest, options.pipelineVersion),
      line: raw.line,
      metadata: raw.metadata,
    };
  });
}

type ResolvedShape = { bin: Bin; width: number; height: number };

/** Width and height are kept to the pixel by a crop; an aspect, or nothing, gives the bin as it is. */
function resolveShape({ aspect, width, height }: Row, size: Size): ResolvedShape {
  if (width !== undefined && height !== undefined) return { bin: nearestBin(size, width, height), width, height };
  const bin = nearestBin(size, aspect?.width ?? 1, aspect?.height ?? 1);
  return { bin, width: bin.width, height: bin.height };
}

const isBlownUp = ({ bin, width, height }: ResolvedShape): boolean =>
  Math.max(width / bin.width, height / bin.height) > MAX_ENLARGEMENT;
