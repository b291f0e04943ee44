import { openExpansion } from '../catalog/expansion/expand-cells.ts';
import { catalogJobs } from '../catalog/plan-catalog.ts';
import type { Job } from '../domain/job.ts';
import { PIPELINE_VERSION } from '../models/pixart/pipeline-version.ts';
import { readUrl, termsReader } from '../store/index.ts';
import type { CatalogInput } from './batch-request.ts';

/** What a plan was made from: the catalog's bytes, and the files of terms by their names. */
export type ReadFiles = { catalog: Uint8Array; terms: Map<string, Uint8Array> };

/**
 * The jobs that a batch would have, read from where the person's files are. Nothing is written.
 *
 * @param files filled with what was read
 * @param called how messages name the catalog
 * @throws CatalogError with every problem of the catalog, after the last job
 * @throws UserError for a catalog that cannot be read or options that fit none
 */
export async function* requestedJobs(
  { source, defaults, bundle }: CatalogInput,
  files: ReadFiles,
  called: string = source.url,
): AsyncGenerator<Job> {
  const { url, format, columns, expansion } = source;
  files.catalog = await readUrl(url);
  const read = async (name: string): Promise<Uint8Array | null> => {
    const bytes = await termsReader(expansion!.terms)(name);
    if (bytes !== null) files.terms.set(name, bytes);
    return bytes;
  };
  yield* catalogJobs([files.catalog], {
    file: called,
    format,
    columns,
    defaults,
    bundle,
    pipelineVersion: PIPELINE_VERSION,
    expansion: openExpansion(expansion, read),
  });
}
