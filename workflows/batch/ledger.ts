import type { ChangeCounts } from '../../domain/change-counts.ts';
import { channelOf } from '../../domain/receiver.ts';
import type { Size } from '../../domain/size.ts';
import type { BatchInput } from '../contract/batch.ts';
import type { BatchControl } from '../contract/control.ts';
import type { Plan, ShardRef } from '../contract/plan.ts';
import type { BatchProgress, BatchState, RecentFailure, ShardReport, SizeProgress } from '../contract/progress.ts';
import { addCounts, doneOf, newsOf, withFailures } from '../contract/shard-report.ts';

/** A batch's counts; plain data, so that they are carried over when the batch continues as new. */
export type Ledger = {
  state: BatchState;
  bySize: Partial<Record<Size, SizeProgress>>;
  extraComputations: number;
  /** Jobs that no shard has started, counted when a cancelled batch ends. */
  cancelled: number;
  recentFailures: RecentFailure[];
  /** Missing if there was no previous batch, or if an earlier version passed the ledger on. */
  changes?: ChangeCounts;
  /** Missing if there are none. */
  warnings?: string[];
  /** Object name of this round's manifest; missing until it is written. */
  manifest?: string;
  /**
   * The catalog's other columns; missing during planning, if there are too many, and if an earlier version passed the
   * ledger on.
   */
  columns?: string[];
  /** The last report of each running shard. */
  running: Record<number, ShardReport>;
  /** Why it ended without a manifest. */
  withoutManifest?: string;
};

export const emptyLedger = (): Ledger => ({
  state: 'planning',
  bySize: {},
  extraComputations: 0,
  cancelled: 0,
  recentFailures: [],
  running: {},
});

export function enterPlan(ledger: Ledger, plan: Plan): void {
  if (ledger.state === 'planning') ledger.state = 'rendering';
  if (plan.changes !== undefined) ledger.changes = plan.changes;
  if (plan.columns !== undefined) ledger.columns = plan.columns;
  enterWarnings(ledger, plan.warnings);
  for (const { size, jobs } of plan.shards) {
    const before = ledger.bySize[size] ?? { jobs: 0, rendered: 0, reused: 0, failed: 0 };
    ledger.bySize[size] = { ...before, jobs: before.jobs + jobs };
  }
  for (const [size, { rendered, reused, extraComputations }] of Object.entries(plan.made ?? {})) {
    const { jobs, failed } = ledger.bySize[size as Size] ?? { jobs: 0, failed: 0 };
    ledger.bySize[size as Size] = { jobs: jobs + rendered + reused, rendered, reused, failed };
    ledger.extraComputations += extraComputations;
  }
}

/** @param warnings `undefined` from activities of older workers */
export function enterWarnings(ledger: Ledger, warnings: string[] = []): void {
  if (warnings.length > 0) ledger.warnings = [...(ledger.warnings ?? []), ...warnings];
}

/** Adds a shard's report, which replaces its earlier one unless a later one has overtaken it. */
export function enterReport(ledger: Ledger, shard: ShardRef, report: ShardReport): void {
  const news = newsOf(report, ledger.running[shard.shard]);
  if (news === null) return;
  addCounts(ledger.bySize[shard.size]!, news);
  ledger.extraComputations += news.extraComputations;
  ledger.recentFailures = withFailures(news.recentFailures, ledger.recentFailures);
  ledger.running[shard.shard] = report;
}

/** How a shard ended: a lost one was terminated or failed as a whole. */
type ShardEnd = { lost: string } | 'cancelled' | 'completed';

/** The shard has ended and will report nothing more. Its remaining jobs are lost, or wait for a retry if it was cancelled. */
export function closeShard(ledger: Ledger, shard: ShardRef, end: ShardEnd): void {
  const report = ledger.running[shard.shard];
  const open = shard.jobs - (report === undefined ? 0 : doneOf(report));
  // A completed shard's remaining jobs were cancelled by size or filter.
  if (end === 'cancelled' || end === 'completed') ledger.cancelled += open;
  else {
    ledger.bySize[shard.size]!.failed += open;
    ledger.recentFailures = withFailures([{ id: `shard ${shard.shard}`, reason: end.lost }], ledger.recentFailures);
  }
  delete ledger.running[shard.shard];
}

/** Shards that never start: their jobs wait for a retry. */
export const leaveOut = (ledger: Ledger, shards: ShardRef[]): void => {
  for (const { jobs } of shards) ledger.cancelled += jobs;
};

/** The counts of all sizes together. */
export function sumOf({ bySize }: Ledger): SizeProgress {
  const sum = { jobs: 0, rendered: 0, reused: 0, failed: 0 };
  for (const size of Object.values(bySize)) {
    sum.jobs += size.jobs;
    addCounts(sum, size);
  }
  return sum;
}

/** @param control the batch's control settings, by which it may be paused */
export function progressOf(
  { batch, round, webhook }: BatchInput,
  ledger: Ledger,
  control?: BatchControl,
): BatchProgress {
  const { state, cancelled, extraComputations, bySize, recentFailures } = ledger;
  const { changes, warnings, manifest, withoutManifest } = ledger;
  const paused = control?.paused ?? null;
  return {
    batch,
    round,
    state: state === 'rendering' && paused !== null ? 'paused' : state,
    ...(paused !== null && { paused }),
    ...(control && { window: control.window }),
    totals: { ...sumOf(ledger), cancelled, extraComputations },
    bySize,
    ...(changes !== undefined && { changes }),
    ...(warnings !== undefined && { warnings }),
    ...(manifest !== undefined && { manifest }),
    ...(withoutManifest !== undefined && { withoutManifest }),
    ...(webhook !== undefined && { tells: channelOf(webhook) }),
    recentFailures,
  };
}
