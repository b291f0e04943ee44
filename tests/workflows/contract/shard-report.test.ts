import { describe, expect, it } from 'vitest';
import type { BatchAnswer, ShardReport } from '../../../workflows/contract/progress.ts';
import { newsOf, withReports } from '../../../workflows/contract/shard-report.ts';

const report = (shard: number, rendered: number, failed = 0): ShardReport => ({
  ...{ shard, rendered, reused: 0, failed, extraComputations: rendered },
  recentFailures: Array.from({ length: failed }, (_, n) => ({ id: `${shard}-${failed - n}`, reason: 'why' })),
});

const running = (shard: number, told: ShardReport | null): BatchAnswer['running'][number] => ({
  shard: { shard, size: '256', jobs: 10, name: `shard ${shard}` },
  workflowId: `batch/b/1-${shard}`,
  report: told,
});

describe('what a report adds to the previous one', () => {
  it('is the report itself if it is the first', () => {
    expect(newsOf(report(0, 2, 1), undefined)).toEqual(report(0, 2, 1));
  });

  it('is the increase of its counts, and its new failures', () => {
    expect(newsOf(report(0, 5, 3), report(0, 2, 1))).toEqual({
      ...{ rendered: 3, reused: 0, failed: 2, extraComputations: 3 },
      recentFailures: [
        { id: '0-3', reason: 'why' },
        { id: '0-2', reason: 'why' },
      ],
    });
  });

  it('is nothing if a later one arrived first', () => {
    expect(newsOf(report(0, 2), report(0, 3))).toBeNull();
  });
});

describe("a batch's answer with the reports of its shards", () => {
  const answer: BatchAnswer = {
    ...{ batch: 'b', round: 1, state: 'rendering' },
    totals: { jobs: 20, rendered: 3, reused: 0, failed: 1, cancelled: 0, extraComputations: 3 },
    bySize: { 256: { jobs: 20, rendered: 3, reused: 0, failed: 1 } },
    recentFailures: [{ id: '0-1', reason: 'why' }],
    running: [running(0, report(0, 3, 1)), running(1, null)],
  };

  it('counts their present reports, and is otherwise what the batch said', () => {
    const before = structuredClone(answer);
    const { running: _, ...progress } = answer;
    expect(withReports(answer, [report(0, 4, 2), report(1, 5)])).toEqual({
      ...progress,
      totals: { jobs: 20, rendered: 9, reused: 0, failed: 2, cancelled: 0, extraComputations: 9 },
      bySize: { 256: { jobs: 20, rendered: 9, reused: 0, failed: 2 } },
      recentFailures: [
        { id: '0-2', reason: 'why' },
        { id: '0-1', reason: 'why' },
      ],
    });
    expect(answer).toEqual(before);
  });

  it('is unchanged for a shard that does not answer, or has nothing new', () => {
    const { running: _, ...progress } = answer;
    expect(withReports(answer, [report(0, 2, 1)])).toEqual(progress);
  });
});
