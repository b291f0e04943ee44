import { openExpansion } from '../catalog/expansion/expand-cells.ts';
import { PromptCheck, type PromptNotes } from '../catalog/notes/prompt-notes.ts';
import { catalogJobs } from '../catalog/plan-catalog.ts';
import { piecesOf } from '../catalog/reading/pieces.ts';
import { newReadAs, type ReadAs } from '../catalog/reading/read-as.ts';
import { type PlanSummary, SummaryBuilder } from '../catalog/summary.ts';
import type { Job } from '../domain/job.ts';
import { metadataLimit } from '../images/metadata-limit.ts';
import type { Bundle } from '../models/pixart/bundle.ts';
import { PIPELINE_VERSION } from '../models/pixart/pipeline-version.ts';
import { readUrl, shownPlace, termsReader } from '../store/index.ts';
import { freshFor } from '../workflows/contract/batch.ts';
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
  /** What the file was taken for, once the last job has come. */
  readAs: ReadAs;
};

/** Hears how many bytes of a catalog have been read, and of how many, as its jobs are made. */
export type OnRead = (bytes: number, of: number) => void;

/**
 * Reads a request's catalog. Nothing is written.
 *
 * @param called how messages name the catalog
 * @throws UserError for a catalog that cannot be read
 */
export async function readRequestedCatalog(
  { batch, source, defaults, bundle }: CatalogInput,
  called: string = shownPlace(source.url),
  onRead?: OnRead,
): Promise<RequestedCatalog> {
  const { url, format, columns, sheet, expansion, naming } = source;
  const catalog = await readUrl(url);
  const terms = new Map<string, Uint8Array>();
  const readTerms = async (name: string): Promise<Uint8Array | null> => {
    const bytes = await termsReader(expansion!.terms)(name);
    if (bytes !== null) terms.set(name, bytes);
    return bytes;
  };
  const readAs = newReadAs(format);
  const jobs = catalogJobs(inPieces(catalog, onRead), {
    file: called,
    format,
    columns,
    sheet,
    naming,
    readAs,
    defaults,
    bundle,
    pipelineVersion: PIPELINE_VERSION,
    expansion: openExpansion(expansion && { ...expansion, terms: shownPlace(expansion.terms) }, readTerms),
    freshFor: freshFor({ batch, defaults }),
    // Otherwise found only when the picture is there.
    obstacle: metadataLimit(bundle),
  });
  return { jobs, files: { catalog, terms }, readAs };
}

function* inPieces(catalog: Uint8Array, onRead: OnRead = () => {}): Generator<Uint8Array> {
  let read = 0;
  for (const piece of piecesOf(catalog)) {
    yield piece;
    read += piece.length;
    onRead(read, catalog.length);
  }
}

/** What a catalog was read as and comes to, and, where the bundle is here, how its model reads the prompts. */
export type CheckedCatalog = PlanSummary & { readAs: ReadAs } & Partial<PromptNotes>;

/**
 * What a catalog's jobs come to.
 *
 * @param onJob is shown each of them
 * @param bundle where it is installed here: its tokenizer reads the prompts
 * @throws as the jobs
 */
export async function summaryOf(
  { jobs, readAs }: RequestedCatalog,
  bundle: Bundle | null,
  onJob?: (job: Job) => void,
): Promise<CheckedCatalog> {
  const summary = new SummaryBuilder();
  const prompts = bundle && new PromptCheck(await readerOf(bundle));
  for await (const job of jobs) {
    summary.add(job);
    prompts?.add(job);
    onJob?.(job);
  }
  return { ...summary.summary(), readAs, ...prompts?.notes };
}

/** Loaded late: nothing else here needs a tokenizer. */
async function readerOf(bundle: Bundle) {
  const { promptReader } = await import('../models/pixart/prompt-reader.ts');
  const { look, maxTokens, vocabulary } = await promptReader(bundle);
  return { read: look, maxTokens, vocabulary };
}
