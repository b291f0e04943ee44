import { openExpansion } from '../catalog/expansion/expand-cells.ts';
import { catalogJobs } from '../catalog/plan-catalog.ts';
import { type PlanSummary, SummaryBuilder } from '../catalog/summary.ts';
import type { Job } from '../domain/job.ts';
import { PIPELINE_VERSION } from '../models/pixart/pipeline-version.ts';
import { readUrl, termsReader } from '../store/index.ts';
import type { CatalogInput } from './request.ts';

/** What a plan is made from: the catalog's bytes, and the files of terms by their names. */
export type CatalogFiles = { catalog: Uint8Array; terms: ReadonlyMap<string, Uint8Array> };

/** The catalog of a request, read from where the person's files are. */
export type RequestedCatalog = {
  /**
   * The jobs that a batch would have, once.
   *
   * @throws CatalogError with every problem of the catalog, after the last job
   * @throws UserError for options that fit no catalog
   */
  jobs: AsyncIterable<Job>;
  /** What the jobs are made from. A file of terms is read when a row names it: all are here when the last job has come. */
  files: CatalogFiles;
};

/**
 * Reads a request's catalog. Nothing is written.
 *
 * @param called how messages name the catalog
 * @throws UserError for a catalog that cannot be read
 */
export async function readRequestedCatalog(
  { source, defaults, bundle }: CatalogInput,
  called: string = source.url,
): Promise<RequestedCatalog> {
  const { url, format, columns, expansion } = source;
  const catalog = await readUrl(url);
  const terms = new Map<string, Uint8Array>();
  const readTerms = async (name: string): Promise<Uint8Array | null> => {
    const bytes = await termsReader(expansion!.terms)(name);
    if (bytes !== null) terms.set(name, bytes);
    return bytes;
  };
  const jobs = catalogJobs([catalog], {
    file: called,
    format,
    columns,
    defaults,
    bundle,
    pipelineVersion: PIPELINE_VERSION,
    expansion: openExpansion(expansion, readTerms),
  });
  return { jobs, files: { catalog, terms } };
}

/**
 * What a catalog's jobs come to.
 *
 * @param onJob is shown each of them
 * @throws as the jobs
 */
export async function summaryOf({ jobs }: RequestedCatalog, onJob?: (job: Job) => void): Promise<PlanSummary> {
  const summary = new SummaryBuilder();
  for await (const job of jobs) {
    summary.add(job);
    onJob?.(job);
  }
  return summary.summary();
}
