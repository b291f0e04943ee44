import type { CatalogFormat } from '../domain/catalog-settings.ts';
import { cellsOf, type Job } from '../domain/job.ts';
import { readTemplate } from '../domain/naming-template.ts';
import { Turns } from '../domain/turns.ts';
import { UserError } from '../domain/user-error.ts';
import { CarriedColumns } from './carried-columns.ts';
import { CATALOG_LIMITS } from './catalog-limits.ts';
import { type ExpandedRow, type Expansion, expandCells } from './expansion/expand-cells.ts';
import { JobIds } from './job-ids.ts';
import { type JobOptions, makeJobs } from './make-jobs.ts';
import { Problems } from './problems.ts';
import type { ByteSource } from './reading/bytes.ts';
import type { RawRow } from './reading/raw-row.ts';
import { newReadAs, type ReadAs } from './reading/read-as.ts';
import { readRows } from './reading/rows.ts';
import { parseRow } from './row.ts';
import { cutShards, type Shard } from './shards.ts';
import { type PlanSummary, SummaryBuilder } from './summary.ts';

export type PlanOptions = JobOptions & {
  /** The catalog's name in messages: the path or URL as given. */
  file: string;
  format: CatalogFormat;
  /** Names that our columns have in this catalog: `{ prompt: 'Caption' }` reads the prompt from the column "Caption". */
  columns: Record<string, string>;
  /** Sheet of a workbook; default: the first that is not hidden. */
  sheet?: string | undefined;
  /** Filled in with how the file was read. */
  readAs?: ReadAs | undefined;
  /** Template for the names of the batch's own copies; default: they are named after the ids. */
  naming?: string | undefined;
  /** How to expand choices in cells; without it, braces are plain text. */
  expansion?: Expansion | undefined;
};

export type CatalogPlan = { summary: PlanSummary; shards: Shard[] };

/**
 * Reads, checks and expands a whole catalog, and cuts its jobs into shards. Nothing is written anywhere.
 * @throws CatalogError (a UserError) with every problem of the catalog
 * @throws UserError for invalid options, such as a default size that the bundle does not serve, or an invalid template
 */
export async function planCatalog(source: ByteSource, options: PlanOptions): Promise<CatalogPlan> {
  const jobs: Job[] = [];
  const summary = new SummaryBuilder();
  for await (const job of catalogJobs(source, options)) {
    jobs.push(job);
    summary.add(job);
  }
  return { summary: summary.summary(), shards: await cutShards(jobs) };
}

/** Reading, checking and keying a row takes as long as this many cells of a table. */
const ROW_CELLS = 100;

/**
 * A catalog's jobs in its order, one at a time. The catalog is valid only if this finishes: problems are thrown at the end.
 * @throws as planCatalog
 */
export async function* catalogJobs(source: ByteSource, options: PlanOptions): AsyncGenerator<Job> {
  checkDefaults(options);
  const problems = new Problems(options.file);
  const ids = new JobIds(options.naming === undefined ? null : readTemplate(options.naming));
  const carried = new CarriedColumns();
  const turns = new Turns();
  let rows = 0;
  let count = 0;
  const readAs = options.readAs ?? newReadAs(options.format);
  for await (const raw of readRows(source, options, problems, readAs)) {
    rows += 1;
    let isFirst = true;
    for await (const expanded of expandedRows(raw, options.expansion, problems)) {
      await turns.after(ROW_CELLS);
      const row = parseRow(expanded.raw, problems);
      if (row === null) continue;
      if (isFirst) count += expanded.siblings * row.variants;
      isFirst = false;
      if (count > CATALOG_LIMITS.jobs) {
        throw problems.fatal({
          line: raw.line,
          column: null,
          expected: `at most ${CATALOG_LIMITS.jobs} jobs`,
          found: 'more',
        });
      }
      const jobs = makeJobs(expanded, row, options, ids, problems);
      for (const job of jobs) {
        const excess = carried.add(job.metadata);
        if (excess !== null) throw problems.fatal({ line: job.line, ...excess });
        await turns.after(cellsOf(job));
      }
      // After the first problem no jobs are yielded; the rest is only checked for more problems.
      if (problems.total === 0) for (const job of jobs) yield job;
    }
  }
  ids.finish(problems);
  problems.throwIfAny();
  if (rows === 0) {
    throw problems.fatal({ line: null, column: null, expected: 'at least one row with a prompt', found: 'none' });
  }
}

const expandedRows = (
  raw: RawRow,
  expansion: Expansion | undefined,
  problems: Problems,
): Iterable<ExpandedRow> | AsyncIterable<ExpandedRow> =>
  expansion === undefined ? [{ raw, siblings: 1, chosen: null }] : expandCells(raw, expansion, problems);

function checkDefaults({ defaults, bundle }: PlanOptions): void {
  if (!bundle.sizes.includes(defaults.size)) {
    const served = bundle.sizes.join(', ');
    throw new UserError(`size: expected a size that the bundle serves (${served}), found ${defaults.size}`);
  }
  if (defaults.format !== 'png' && defaults.quality === null) {
    throw new UserError(`format ${defaults.format}: expected a quality from 1 to 100, found none`);
  }
}
