import type { ChangeCounts } from '../../domain/change-counts.ts';
import type { Job } from '../../domain/job.ts';
import type { Size } from '../../domain/size.ts';

/** One slice of the plan: all of one size. `name` is its object in the store. */
export type ShardRef = { shard: number; size: Size; jobs: number; name: string };

export type Plan = {
  jobs: number;
  shards: ShardRef[];
  /** Images that earlier rounds made; there are none where it is missing. */
  made?: Partial<Record<Size, MadeImages>>;
  /** How the catalog differs from that of its batch before, where there was one. */
  changes?: ChangeCounts;
  /** What the store kept from being replaced, for people. */
  warnings?: string[];
  /** Columns that rows carry along; missing where there are too many to tell. */
  columns?: string[];
};

export type MadeImages = { rendered: number; reused: number; extraComputations: number };

/** What a shard needs to know of a job to schedule it; the rest stays in the store. */
export type JobSummary = Pick<Job, 'id' | 'priority'> & { summary: string };

/** A shard that ended without telling what became of its jobs. */
export type LostShard = { shard: number; reason: string };
