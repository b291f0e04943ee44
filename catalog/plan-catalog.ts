import { type ExpandOptions, expandRow } from './expand.ts';
import type { CatalogFormat } from './format.ts';
import type { Job } from './job.ts';
import { JobIds } from './job-ids.ts';
import { LIMITS } from './limits.ts';
import { Problems } from './problems.ts';
import { readRows } from './read-rows.ts';
import type { ByteSource } from './read-text.ts';
import { parseRow } from './row.ts';
import { cutShards, type Shard } from './shards.ts';
import { type PlanSummary, summarise } from './summary.ts';
import { UserError } from './user-error.ts';

export type PlanOptions = ExpandOptions & {
  /** What messages call the catalog: a path or URL as the person gave it. */
  file: string;
  format: CatalogFormat;
  /** Other names of our columns in this catalog: `{ prompt: 'Caption' }` reads the prompt from the column "Caption". */
  columns: Record<string, string>;
};

export type CatalogPlan = { summary: PlanSummary; shards: Shard[] };

/**
 * Reads, checks and expands a whole catalog, and cuts its jobs into shards. Nothing is written anywhere.
 * @throws CatalogError (a UserError) with every problem of the catalog
 * @throws UserError for options that fit no catalog, such as a default size that the bundle does not serve
 */
export async function planCatalog(source: ByteSource, options: PlanOptions): Promise<CatalogPlan> {
  checkDefaults(options);
  const problems = new Problems(options.file);
  const ids = new JobIds();
  const jobs: Job[] = [];
  let rows = 0;
  for await (const raw of readRows(source, options.format, options.columns, problems)) {
    rows += 1;
    const row = parseRow(raw, problems);
    if (row !== null) jobs.push(...expandRow(raw, row, options, ids, problems));
    if (jobs.length > LIMITS.jobs) {
      throw problems.fatal({ line: raw.line, column: null, expected: `at most ${LIMITS.jobs} jobs`, found: 'more' });
    }
  }
  problems.throwIfAny();
  if (rows === 0) {
    throw problems.fatal({ line: null, column: null, expected: 'at least one row with a prompt', found: 'none' });
  }
  return { summary: summarise(rows, jobs), shards: cutShards(jobs) };
}

function checkDefaults({ defaults, bundle }: PlanOptions): void {
  if (!bundle.sizes.includes(defaults.size)) {
    const served = bundle.sizes.join(', ');
    throw new UserError(`default size: expected a size that the bundle serves (${served}), found ${defaults.size}`);
  }
  if (defaults.format !== 'png' && defaults.quality === null) {
    throw new UserError(`format ${defaults.format}: expected a quality from 1 to 100, found none`);
  }
}
