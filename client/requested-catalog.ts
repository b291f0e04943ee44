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

/** What a plan is made from: the catalog's bytes, and the terms files by name. */
export type CatalogFiles = { catalog: Uint8Array; terms: ReadonlyMap<string, Uint8Array> };

/** The catalog of a request, read on the user's machine. */
type RequestedCatalog = {
  /**
   * The jobs that a batch would have; can be read once.
   *
   * @throws CatalogError with every problem of the catalog, after the last job
   * @throws UserError for options that do not suit the catalog
   */
  jobs: AsyncIterable<Job>;
  /** What the jobs are made from. Terms files are read when a row names them, so this is complete after the last job. */
  files: CatalogFiles;
  /** How the file was read; complete after the last job. */
  readAs: ReadAs;
};

/** Called with how many bytes of a catalog have been read, of how many, while its jobs are made. */
export type OnRead = (bytes: number, of: number) => void;

/**
 * Reads a request's catalog. Nothing is written.
 *
 * @param called the catalog's name in messages
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
    // Otherwise found only after the image is rendered.
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

/** How a catalog was read, its totals, and, if the bundle is installed here, how its model reads the prompts. */
export type CheckedCatalog = PlanSummary & { readAs: ReadAs } & Partial<PromptNotes>;

/**
 * Summarises a catalog's jobs.
 *
 * @param onJob is called with each of them
 * @param bundle the bundle, if it is installed here: its tokenizer reads the prompts
 * @throws whatever `jobs` throws
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
