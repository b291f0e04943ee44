import type { Job } from '../domain/job.ts';
import { SIZES, type Size } from '../domain/size.ts';

/** A shard's history in Temporal grows with its jobs; at this length it stays well inside the limits. */
export const MAX_SHARD_JOBS = 500;

/** One slice of the plan: at most 500 jobs, all of one size. */
export type Shard = { size: Size; jobs: Job[] };

/**
 * Cuts jobs into shards, a size after the other. Within a size they go by priority, then by their order in the catalog;
 * a job whose render key an earlier one has comes after all that have to be rendered, when its image is there to be
 * copied.
 */
export function cutShards(jobs: Iterable<Job>): Shard[] {
  const bySize = new Map<Size, Job[]>(SIZES.map((size) => [size, []]));
  for (const job of jobs) bySize.get(job.size)?.push(job);
  return [...bySize].flatMap(([size, ofSize]) => sliced(inOrder(ofSize)).map((slice) => ({ size, jobs: slice })));
}

function inOrder(jobs: readonly Job[]): Job[] {
  const keys = new Set<string>();
  const first: Job[] = [];
  const again: Job[] = [];
  for (const job of jobs.toSorted((a, b) => a.priority - b.priority)) {
    (keys.has(job.renderKey) ? again : first).push(job);
    keys.add(job.renderKey);
  }
  return [...first, ...again];
}

function sliced(jobs: readonly Job[]): Job[][] {
  const count = Math.ceil(jobs.length / MAX_SHARD_JOBS);
  return Array.from({ length: count }, (_, i) => jobs.slice(i * MAX_SHARD_JOBS, (i + 1) * MAX_SHARD_JOBS));
}
