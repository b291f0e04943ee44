import type { ChangeCounts } from '../../domain/change-counts.ts';
import type { Job } from '../../domain/job.ts';
import type { Size } from '../../domain/size.ts';

/** One shard of the plan, with jobs of one size. `name` is its object in the store. */
export type ShardRef = { shard: number; size: Size; jobs: number; name: string };

export type Plan = {
  jobs: number;
  shards: ShardRef[];
  /** Images that earlier rounds made; missing if there are none. */
  made?: Partial<Record<Size, MadeImages>>;
  /** How the catalog differs from that of its previous batch, if there was one. */
  changes?: ChangeCounts;
  /** Objects that the store did not let be replaced, in words. */
  warnings?: string[];
  /** The catalog's other columns; missing if there are too many to list. */
  columns?: string[];
};

export type MadeImages = { rendered: number; reused: number; extraComputations: number };

/** What a shard needs to schedule a job; the rest stays in the store. */
export type JobSummary = Pick<Job, 'id' | 'priority'> & { summary: string };

/** A shard that ended without reporting its jobs' outcomes. */
export type LostShard = { shard: number; reason: string };
