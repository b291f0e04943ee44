import { matches } from '../domain/row-filter.ts';
import { readJobs } from '../records/plan-and-receipts.ts';
import type { OpenStore } from '../store/index.ts';
import type { MatchJobsInput } from '../workflows/contract/activities.ts';

/** The activity that finds a shard's jobs by a column of their rows. */
export function createMatchJobs(openStore: OpenStore) {
  return async function matchJobs({ store, shard, filter }: MatchJobsInput): Promise<number[]> {
    const jobs = await readJobs(await openStore(store), shard);
    return jobs.flatMap((job, index) => (matches(job, filter) ? [index] : []));
  };
}
