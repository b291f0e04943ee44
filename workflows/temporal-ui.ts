import { changesText } from '../domain/change-counts.ts';
import { code, plain } from './contract/markdown.ts';
import type { BatchProgress, RecentFailure, ShardReport } from './contract/progress.ts';

/** The batch in Markdown, as Temporal's UI shows it while the batch runs. */
export function batchDetails(progress: BatchProgress): string {
  const { totals } = progress;
  const heading = `**${progress.state}**: ${totals.rendered + totals.reused} of ${totals.jobs} images`;
  const rows = Object.entries(progress.bySize).map(
    ([size, of]) => `| ${size} | ${of.jobs} | ${of.rendered} | ${of.reused} | ${of.failed} |`,
  );
  const table = ['| size | jobs | rendered | reused | failed |', '|---|---|---|---|---|', ...rows].join('\n');
  return [
    heading,
    ...(rows.length > 0 ? [table] : []),
    ...(progress.changes === undefined ? [] : [plain(changesText(progress.changes))]),
    ...(progress.warnings ?? []).map(code),
    ...failureLines(progress.recentFailures),
  ].join('\n\n');
}

/** One shard in Markdown. */
export function shardDetails(report: ShardReport, jobs: number): string {
  const heading = `${report.rendered + report.reused} of ${jobs} images, ${report.reused} of them reused, ${report.failed} failed`;
  return [heading, ...failureLines(report.recentFailures)].join('\n\n');
}

const failureLines = (failures: RecentFailure[]): string[] =>
  failures.length > 0
    ? [['Last failures:', ...failures.map(({ id, reason }) => `- ${code(id)}: ${code(reason)}`)].join('\n')]
    : [];
