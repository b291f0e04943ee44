import { changesText } from '../domain/change-counts.ts';
import { stateText } from '../domain/state-text.ts';
import { code, plain } from './contract/markdown.ts';
import type { BatchProgress, RecentFailure, ShardReport, SizeProgress } from './contract/progress.ts';

/** The batch's details in Markdown, shown in Temporal's UI while it runs. */
export function batchDetails(progress: BatchProgress): string {
  const { totals } = progress;
  const heading = `**${stateText(progress.state, totals.failed)}**: ${totals.rendered + totals.reused} of ${totals.jobs} images`;
  const sizes = Object.entries(progress.bySize).map(([size, counts]) => `- ${size} px: ${countsText(counts)}`);
  return [
    heading,
    ...(sizes.length > 0 ? [sizes.join('\n')] : []),
    ...(progress.state === 'paused' ? [`paused: ${plain(progress.paused ?? '')}`] : []),
    ...(progress.withoutManifest === undefined ? [] : [`without a manifest: ${code(progress.withoutManifest)}`]),
    ...(progress.changes === undefined ? [] : [plain(changesText(progress.changes))]),
    ...(progress.warnings ?? []).map(code),
    ...failureLines(progress.recentFailures),
  ].join('\n\n');
}

/** A line instead of a table, whose columns the UI shows without a gap. */
function countsText({ jobs, rendered, reused, failed }: SizeProgress): string {
  const parts = Object.entries({ reused, failed }).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []));
  return [`${rendered + reused} of ${jobs} images`, ...parts].join(', ');
}

/** A shard's details in Markdown. */
export function shardDetails(report: ShardReport, jobs: number): string {
  const heading = `${report.rendered + report.reused} of ${jobs} images, ${report.reused} of them reused, ${report.failed} failed`;
  return [heading, ...failureLines(report.recentFailures)].join('\n\n');
}

const failureLines = (failures: RecentFailure[]): string[] =>
  failures.length > 0
    ? ['Last failures:', failures.map(({ id, reason }) => `- ${code(id)}: ${code(reason)}`).join('\n')]
    : [];
