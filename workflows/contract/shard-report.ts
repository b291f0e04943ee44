import { RECENT_FAILURES } from './limits.ts';
import type { BatchAnswer, BatchProgress, RecentFailure, ShardReport, SizeProgress } from './progress.ts';

type Counts = Pick<SizeProgress, 'rendered' | 'reused' | 'failed'>;

/** The number of jobs that have ended, with any outcome. */
export const doneOf = ({ rendered, reused, failed }: Counts): number => rendered + reused + failed;

/** What a report adds to the previous one. */
type ReportNews = Counts & { extraComputations: number; recentFailures: RecentFailure[] };

/** @returns `null` for a report that a later one has overtaken */
export function newsOf(report: ShardReport, before: ShardReport | null | undefined): ReportNews | null {
  if (!before) return report;
  if (doneOf(before) >= doneOf(report)) return null;
  const failed = report.failed - before.failed;
  return {
    rendered: report.rendered - before.rendered,
    reused: report.reused - before.reused,
    failed,
    extraComputations: report.extraComputations - before.extraComputations,
    recentFailures: report.recentFailures.slice(0, failed),
  };
}

export function addCounts(to: Counts, news: Counts): void {
  to.rendered += news.rendered;
  to.reused += news.reused;
  to.failed += news.failed;
}

/** The last few failures, newest first. */
export const withFailures = (fresh: RecentFailure[], listed: RecentFailure[]): RecentFailure[] =>
  [...fresh, ...listed].slice(0, RECENT_FAILURES);

/**
 * A batch's progress with its running shards' present reports in place of the last ones that it received. Does not
 * change its arguments.
 */
export function withReports({ running, ...progress }: BatchAnswer, reports: ShardReport[]): BatchProgress {
  const known = new Map(running.map((shard) => [shard.shard.shard, shard]));
  const result = structuredClone(progress);
  for (const report of reports) {
    const { shard, report: before } = known.get(report.shard)!;
    const news = newsOf(report, before);
    if (news === null) continue;
    addCounts(result.bySize[shard.size]!, news);
    addCounts(result.totals, news);
    result.totals.extraComputations += news.extraComputations;
    result.recentFailures = withFailures(news.recentFailures, result.recentFailures);
  }
  return result;
}
