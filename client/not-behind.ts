import type { BatchProgress, SizeProgress } from '../workflows/contract/progress.ts';
import { doneOf } from '../workflows/contract/shard-report.ts';

/**
 * Keeps the counts of a batch's progress from running backwards within a round. For a shard that does not answer in time,
 * its last report counts, which may be older than its last answer.
 */
export function notBehind(progress: BatchProgress, before: BatchProgress | undefined): BatchProgress {
  if (before === undefined || before.round !== progress.round) return progress;
  const bySize = { ...progress.bySize };
  let isBehind = false;
  for (const [size, now] of Object.entries(bySize) as [keyof typeof bySize, SizeProgress][]) {
    const seen = before.bySize[size];
    if (seen === undefined || doneOf(seen) <= doneOf(now)) continue;
    bySize[size] = seen;
    isBehind = true;
  }
  if (!isBehind) return progress;
  const sum = (of: 'rendered' | 'reused' | 'failed'): number =>
    Object.values(bySize).reduce((all, counts) => all + counts[of], 0);
  const extraComputations = Math.max(progress.totals.extraComputations, before.totals.extraComputations);
  return {
    ...progress,
    bySize,
    totals: {
      ...progress.totals,
      ...{ rendered: sum('rendered'), reused: sum('reused'), failed: sum('failed'), extraComputations },
    },
    recentFailures: before.recentFailures,
  };
}
