import type { CatalogFormat } from './format.ts';
import type { Bin, ImageFormat, Job } from './job.ts';
import type { Size } from './size.ts';

export type PlanOptions = {
  /** What messages call the catalog: a path or URL as the person gave it. */
  file: string;
  format: CatalogFormat;
  /** Other names of our columns in this catalog: `{ prompt: 'Caption' }` reads the prompt from the column "Caption". */
  columns: Record<string, string>;
  /** For rows that do not say. `quality` counts for the lossy formats only. */
  defaults: { size: Size; format: ImageFormat; quality: number | null };
  /** What planning needs of the bundle; a `BundleRef` fits. */
  bundle: { digest: string; sizes: readonly Size[]; defaults: { steps: number; guidance: number } };
  /** Raised only when the pipeline's pixels change; part of every render key. */
  pipelineVersion: number;
};

/** One slice of the plan: at most 500 jobs, all of one size. */
export type Shard = { size: Size; jobs: Job[] };

export type PlanSummary = {
  rows: number;
  jobs: number;
  /** Distinct render keys: what a batch with an empty store renders. */
  images: number;
  /** Columns that mean nothing to us and travel along. */
  metadata: string[];
  /** In the order of sizes, then from tall to wide. */
  bins: { size: Size; bin: Bin; jobs: number }[];
};

export type CatalogPlan = { summary: PlanSummary; shards: Shard[] };

/**
 * Reads, checks and expands a whole catalog, and cuts its jobs into shards. Nothing is written anywhere.
 * @throws CatalogError (a UserError) with every problem of the catalog
 */
export async function planCatalog(
  _source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  _options: PlanOptions,
): Promise<CatalogPlan> {
  throw new Error('planCatalog: being written');
}
