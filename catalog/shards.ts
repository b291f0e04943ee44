import type { Job } from '../domain/job.ts';
import { SIZES, type Size } from '../domain/size.ts';
import { Turns } from '../domain/turns.ts';

/** A shard's history in Temporal grows with its jobs; at this number it stays well within the limits. */
export const MAX_SHARD_JOBS = 500;

/** One slice of the plan: at most 500 jobs, all of one size. */
export type Shard = { size: Size; jobs: Job[] };

/**
 * Cuts jobs into shards, size by size. Within a size they are ordered by priority, then as in the catalog; a job whose
 * render key occurred before comes after all that have to be rendered, so that its image is there to be copied.
 */
export async function cutShards(jobs: Iterable<Job>): Promise<Shard[]> {
  const turns = new Turns();
  const bySize = new Map<Size, Map<number, Job[]>>(SIZES.map((size) => [size, new Map()]));
  for (const job of jobs) {
    const byPriority = bySize.get(job.size)!;
    const like = byPriority.get(job.priority);
    if (like === undefined) byPriority.set(job.priority, [job]);
    else like.push(job);
    await turns.after(JOB_CELLS);
  }
  const shards: Shard[] = [];
  for (const [size, byPriority] of bySize) {
    for (const slice of sliced(await inOrder(byPriority, turns))) shards.push({ size, jobs: slice });
  }
  return shards;
}

/** Sorting a job takes as long as this many cells of a table. */
const JOB_CELLS = 5;

async function inOrder(byPriority: ReadonlyMap<number, Job[]>, turns: Turns): Promise<Job[]> {
  const keys = new Set<string>();
  const first: Job[] = [];
  const again: Job[] = [];
  for (const [, jobs] of [...byPriority].sort(([a], [b]) => a - b)) {
    for (const job of jobs) {
      (keys.has(job.renderKey) ? again : first).push(job);
      keys.add(job.renderKey);
      await turns.after(JOB_CELLS);
    }
  }
  return first.concat(again);
}

function sliced(jobs: readonly Job[]): Job[][] {
  const count = Math.ceil(jobs.length / MAX_SHARD_JOBS);
  return Array.from({ length: count }, (_, i) => jobs.slice(i * MAX_SHARD_JOBS, (i + 1) * MAX_SHARD_JOBS));
}
