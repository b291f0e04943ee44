import { columnsOf, type Job } from '../domain/job.ts';
import { readJobs } from '../records/plan-and-receipts.ts';
import type { OpenStore } from '../store/index.ts';
import type { MatchJobsInput } from '../workflows/contract/activities.ts';
import type { RowFilter } from '../workflows/contract/control.ts';

/** The activity that finds a shard's jobs by a column of their rows. */
export function createMatchJobs(openStore: OpenStore) {
  return async function matchJobs({ store, shard, filter }: MatchJobsInput): Promise<number[]> {
    const jobs = await readJobs(await openStore(store), shard);
    return jobs.flatMap((job, index) => (matches(job, filter) ? [index] : []));
  };
}

/** Whether a job's row has the value, `*` standing for anything. A column that it does not have is no match. */
function matches(job: Job, { column, pattern }: RowFilter): boolean {
  const value = columnOf(job, column);
  return value !== undefined && wildcard(pattern).test(value);
}

/** A row's own columns first; then what it became, by the names that a catalog has for them. */
function columnOf(job: Job, column: string): string | undefined {
  if (Object.hasOwn(job.metadata, column)) return job.metadata[column];
  const value = new Map<string, unknown>(Object.entries(columnsOf(job))).get(column);
  return value === undefined ? undefined : String(value);
}

const wildcard = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );
