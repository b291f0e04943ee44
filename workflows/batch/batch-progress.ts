import type { ChangeCounts } from '../../domain/change-counts.ts';
import type { Size } from '../../domain/size.ts';
import type { BatchInput } from '../contract/batch.ts';
import type { BatchControl } from '../contract/control.ts';
import { RECENT_FAILURES } from '../contract/limits.ts';
import type { Plan, ShardRef } from '../contract/plan.ts';
import type {
  BatchAnswer,
  BatchProgress,
  BatchState,
  RecentFailure,
  ShardReport,
  SizeProgress,
} from '../contract/progress.ts';

/** What a batch knows of itself; plain data, so that it travels when the batch continues as new. */
export type ProgressLedger = {
  state: BatchState;
  bySize: Partial<Record<Size, SizeProgress>>;
  extraComputations: number;
  /** Jobs that no shard started, counted when a cancelled batch ends. */
  cancelled: number;
  recentFailures: RecentFailure[];
  /** Missing where there was no batch before, and in what an earlier version handed over. */
  changes?: ChangeCounts;
  /** Those that its rows carry along; missing while it is planned, where there are too many, and in what an earlier version handed over. */
  columns?: string[];
  /** The last report of each shard that runs. */
  running: Record<number, ShardReport>;
};

export const emptyLedger = (): ProgressLedger => ({
  state: 'planning',
  bySize: {},
  extraComputations: 0,
  cancelled: 0,
  recentFailures: [],
  running: {},
});

export function planned(ledger: ProgressLedger, plan: Plan): void {
  ledger.state = 'rendering';
  if (plan.changes !== undefined) ledger.changes = plan.changes;
  if (plan.columns !== undefined) ledger.columns = plan.columns;
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

/** Takes in a shard's report: it replaces the shard's earlier one, unless it was overtaken by a later. */
export function reported(ledger: ProgressLedger, shard: ShardRef, report: ShardReport): void {
  const before = ledger.running[shard.shard];
  if (before !== undefined && doneOf(before) >= doneOf(report)) return;
  add(ledger.bySize[shard.size]!, before, report);
  ledger.extraComputations += report.extraComputations - (before?.extraComputations ?? 0);
  ledger.recentFailures = withNewFailures(ledger.recentFailures, before, report);
  ledger.running[shard.shard] = report;
}

/** What the shards that run say now, in place of what they last told their batch. Nothing that is given is changed. */
export function withReports({ running, ...progress }: BatchAnswer, reports: ShardReport[]): BatchProgress {
  const known = new Map(running.map((shard) => [shard.shard.shard, shard]));
  const result = structuredClone(progress);
  for (const report of reports) {
    const { shard, report: before } = known.get(report.shard)!;
    if (before !== null && doneOf(before) >= doneOf(report)) continue;
    add(result.bySize[shard.size]!, before, report);
    add(result.totals, before, report);
    result.totals.extraComputations += report.extraComputations - (before?.extraComputations ?? 0);
    result.recentFailures = withNewFailures(result.recentFailures, before, report);
  }
  return result;
}

type Counts = Pick<SizeProgress, 'rendered' | 'reused' | 'failed'>;

function add(to: Counts, before: ShardReport | null | undefined, report: ShardReport): void {
  for (const outcome of ['rendered', 'reused', 'failed'] as const) {
    to[outcome] += report[outcome] - (before?.[outcome] ?? 0);
  }
}

function withNewFailures(listed: RecentFailure[], before: ShardReport | null | undefined, report: ShardReport) {
  const fresh = report.recentFailures.slice(0, report.failed - (before?.failed ?? 0));
  return [...fresh, ...listed].slice(0, RECENT_FAILURES);
}

/** The shard ended: nothing more will come from it. Its unaccounted jobs are lost, or wait for a retry if it was cancelled. */
export function settled(
  ledger: ProgressLedger,
  shard: ShardRef,
  end: { lost: string } | 'cancelled' | 'completed',
): void {
  const report = ledger.running[shard.shard];
  const open = shard.jobs - (report === undefined ? 0 : doneOf(report));
  // A completed shard's open jobs were cancelled by size or filter.
  if (end === 'cancelled' || end === 'completed') ledger.cancelled += open;
  else {
    ledger.bySize[shard.size]!.failed += open;
    const failure = { id: `shard ${shard.shard}`, reason: end.lost };
    ledger.recentFailures = [failure, ...ledger.recentFailures].slice(0, RECENT_FAILURES);
  }
  delete ledger.running[shard.shard];
}

export function progressOf(input: BatchInput, ledger: ProgressLedger, control?: BatchControl): BatchProgress {
  const sizes = Object.values(ledger.bySize);
  const sum = (field: keyof SizeProgress) => sizes.reduce((total, size) => total + size[field], 0);
  return {
    batch: input.batch,
    round: input.round,
    state: ledger.state === 'rendering' && typeof control?.paused === 'string' ? 'paused' : ledger.state,
    ...(typeof control?.paused === 'string' && { paused: control.paused }),
    ...(control && { window: control.window }),
    totals: {
      jobs: sum('jobs'),
      rendered: sum('rendered'),
      reused: sum('reused'),
      failed: sum('failed'),
      cancelled: ledger.cancelled,
      extraComputations: ledger.extraComputations,
    },
    bySize: ledger.bySize,
    ...(ledger.changes !== undefined && { changes: ledger.changes }),
    recentFailures: ledger.recentFailures,
  };
}

const doneOf = (report: ShardReport): number => report.rendered + report.reused + report.failed;
