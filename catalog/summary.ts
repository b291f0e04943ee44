import type { Bin, Job } from './job.ts';
import { SIZES, type Size } from './size.ts';

/** What a plan comes to. */
export type PlanSummary = {
  rows: number;
  jobs: number;
  /** Distinct render keys: what a batch with an empty store renders. */
  images: number;
  /** Columns that mean nothing to us and travel along, in the order of their first appearance. */
  metadata: string[];
  /** In the order of sizes, then from wide to tall. */
  bins: { size: Size; bin: Bin; jobs: number }[];
};

/** Counts a plan's jobs. */
export function summarise(rows: number, jobs: readonly Job[]): PlanSummary {
  return {
    rows,
    jobs: jobs.length,
    images: new Set(jobs.map((job) => job.renderKey)).size,
    metadata: [...new Set(jobs.flatMap((job) => Object.keys(job.metadata)))],
    bins: countBins(jobs),
  };
}

function countBins(jobs: readonly Job[]): PlanSummary['bins'] {
  const counts = new Map<string, PlanSummary['bins'][number]>();
  for (const { size, bin } of jobs) {
    const key = `${size} ${bin.height}×${bin.width}`;
    const count = counts.get(key) ?? { size, bin, jobs: 0 };
    counts.set(key, { ...count, jobs: count.jobs + 1 });
  }
  const ratio = ({ bin }: { bin: Bin }): number => bin.height / bin.width;
  return [...counts.values()].toSorted(
    (a, b) => SIZES.indexOf(a.size) - SIZES.indexOf(b.size) || ratio(a) - ratio(b) || a.bin.width - b.bin.width,
  );
}
