import type { Size } from '../catalog/size.ts';
import type {
  BatchInput,
  BatchProgress,
  BatchState,
  Plan,
  RecentFailure,
  ShardRef,
  ShardReport,
  SizeProgress,
} from './contract.ts';
import { RECENT_FAILURES } from './limits.ts';

/** What a batch knows of itself; plain data, so that it travels when the batch continues as new. */
export type ProgressLedger = {
  state: BatchState;
  bySize: Partial<Record<Size, SizeProgress>>;
  extraComputations: number;
  /** Jobs that no shard started, counted when a cancelled batch ends. */
  cancelled: number;
  recentFailures: RecentFailure[];
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
  for (const { size, jobs } of plan.shards) {
    const before = ledger.bySize[size] ?? { jobs: 0, rendered: 0, reused: 0, failed: 0 };
    ledger.bySize[size] = { ...before, jobs: before.jobs + jobs };
  }
}

/** Takes in a shard's report: it replaces the shard's earlier one, unless it was overtaken by a later. */
export function reported(ledger: ProgressLedger, shard: ShardRef, report: ShardReport): void {
  const before = ledger.running[shard.shard];
  if (before !== undefined && doneOf(before) >= doneOf(report)) return;
  const progress = ledger.bySize[shard.size]!;
  for (const outcome of ['rendered', 'reused', 'failed'] as const) {
    progress[outcome] += report[outcome] - (before?.[outcome] ?? 0);
  }
  ledger.extraComputations += report.extraComputations - (before?.extraComputations ?? 0);
  const known = before?.failed ?? 0;
  const fresh = report.recentFailures.slice(0, report.failed - known);
  ledger.recentFailures = [...fresh, ...ledger.recentFailures].slice(0, RECENT_FAILURES);
  ledger.running[shard.shard] = report;
}

/** The shard ended: nothing more will come from it. Its unaccounted jobs are lost, or wait for a retry if it was cancelled. */
export function settled(
  ledger: ProgressLedger,
  shard: ShardRef,
  end: { lost: string } | 'cancelled' | 'completed',
): void {
  const report = ledger.running[shard.shard];
  const open = shard.jobs - (report === undefined ? 0 : doneOf(report));
  if (end === 'cancelled') ledger.cancelled += open;
  else if (end !== 'completed') {
    ledger.bySize[shard.size]!.failed += open;
    const failure = { id: `shard ${shard.shard}`, reason: end.lost };
    ledger.recentFailures = [failure, ...ledger.recentFailures].slice(0, RECENT_FAILURES);
  }
  delete ledger.running[shard.shard];
}

export function progressOf(input: BatchInput, ledger: ProgressLedger): BatchProgress {
  const sizes = Object.values(ledger.bySize);
  const sum = (field: keyof SizeProgress) => sizes.reduce((total, size) => total + size[field], 0);
  return {
    batch: input.batch,
    round: input.round,
    state: ledger.state,
    totals: {
      jobs: sum('jobs'),
      rendered: sum('rendered'),
      reused: sum('reused'),
      failed: sum('failed'),
      cancelled: ledger.cancelled,
      extraComputations: ledger.extraComputations,
    },
    bySize: ledger.bySize,
    recentFailures: ledger.recentFailures,
  };
}

const doneOf = (report: ShardReport): number => report.rendered + report.reused + report.failed;
