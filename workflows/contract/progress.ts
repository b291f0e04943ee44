import type { ChangeCounts } from '../../domain/change-counts.ts';
import type { Totals } from '../../domain/receipt.ts';
import type { Size } from '../../domain/size.ts';
import type { ShardRef } from './plan.ts';

/** The name of the query that a batch answers with BatchAnswer, and a shard with its ShardReport. */
export const PROGRESS_QUERY = 'progress';

/**
 * One that is `stopping` was cancelled: its images stop, and what there is of them is written down. One that is `refused` would have come to more
 * than a limit lets it: nothing of it was planned.
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

/** How far a batch is. It counts all its jobs, those that earlier rounds made too. */
export type BatchProgress = {
  batch: string;
  round: number;
  state: BatchState;
  totals: Totals;
  bySize: Partial<Record<Size, SizeProgress>>;
  /** Why it is paused. */
  paused?: string;
  /** Images in flight at once, for each size, as they are set now. */
  window?: number;
  /** How the catalog differs from that of its batch before, where there was one. */
  changes?: ChangeCounts;
  /** What went otherwise than usual, and costs no image. */
  warnings?: string[];
  /** Object name of what this round came to, when that is written. */
  manifest?: string;
  /** Why it ended without one: it failed, or was cancelled while its store was away. A retry writes one. */
  withoutManifest?: string;
  /** By what it tells what becomes of it: see channelOf. Missing where it tells nobody. */
  tells?: string;
  /** The last few, newest first. */
  recentFailures: RecentFailure[];
};

/** How far one shard is. Every report counts from the shard's start, so a lost or repeated one does no harm. */
export type ShardReport = {
  shard: number;
  rendered: number;
  reused: number;
  failed: number;
  extraComputations: number;
  recentFailures: RecentFailure[];
};

/** A shard's last report as its batch has it; the shard itself knows more. */
export type RunningShard = { shard: ShardRef; workflowId: string; report: ShardReport | null };

/** The answer to the `progress` query: what the batch was told, and whom to ask for the rest. */
export type BatchAnswer = BatchProgress & { running: RunningShard[] };
