import type { ChangeCounts } from '../../domain/change-counts.ts';
import type { Totals } from '../../domain/receipt.ts';
import type { Size } from '../../domain/size.ts';
import type { ShardRef } from './plan.ts';

/** The name of the query that a batch answers with BatchAnswer, and a shard with its ShardReport. */
export const PROGRESS_QUERY = 'progress';

/**
 * `stopping`: it was cancelled, its images stop, and finished ones are recorded. `refused`: it would have exceeded a
 * limit, and was not planned.
 */
export type BatchState =
  | 'planning'
  | 'rendering'
  | 'paused'
  | 'finishing'
  | 'stopping'
  | 'completed'
  | 'cancelled'
  | 'refused';

export type SizeProgress = { jobs: number; rendered: number; reused: number; failed: number };

export type RecentFailure = { id: string; reason: string };

/** A batch's progress. It counts all its jobs, including those done in earlier rounds. */
export type BatchProgress = {
  batch: string;
  round: number;
  state: BatchState;
  totals: Totals;
  bySize: Partial<Record<Size, SizeProgress>>;
  /** Why it is paused. */
  paused?: string;
  /** The present limit of images in flight, for each size. */
  window?: number;
  /** How the catalog differs from that of its previous batch, if there was one. */
  changes?: ChangeCounts;
  /** Problems that cost no image. */
  warnings?: string[];
  /** Object name of this round's manifest, once it is written. */
  manifest?: string;
  /** Why it ended without one: it failed, or was cancelled while its store was down. A retry writes one. */
  withoutManifest?: string;
  /** The channel of its messages: see channelOf. Missing if it sends none. */
  tells?: string;
  /** The last few, newest first. */
  recentFailures: RecentFailure[];
};

/** A shard's progress. Every report counts from the shard's start, so a lost or repeated one does no harm. */
export type ShardReport = {
  shard: number;
  rendered: number;
  reused: number;
  failed: number;
  extraComputations: number;
  recentFailures: RecentFailure[];
};

/** The last report that a batch has from a shard; the shard itself may have a newer one. */
export type RunningShard = { shard: ShardRef; workflowId: string; report: ShardReport | null };

/** The answer to the `progress` query: what the batch knows, and which shards to query for the rest. */
export type BatchAnswer = BatchProgress & { running: RunningShard[] };
