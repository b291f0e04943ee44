import type { BatchProgress, SizeProgress, Totals, WatchedProgress } from '../../client/index.ts';
import { SIZES, type Size } from '../../domain/size.ts';
import { count } from './text.ts';

/** What is shown of a running batch. */
export type ShownProgress = BatchProgress & Partial<Pick<WatchedProgress, 'retrying' | 'inHand'>>;

/** Shows a batch's progress. */
export type ProgressDisplay = {
  /** How often it wants updates. */
  readonly everyMs: number;
  show(progress: ShownProgress): void;
  /**
   * Nobody answers, which may last: shows that (once in a log), and drops everything that was only true while somebody did.
   *
   * @param known progress that is known anyway; default: what was shown last
   */
  fallSilent(why: string, known?: ShownProgress): void;
  /** Leaves the screen as it is; later output goes below. */
  end(): void;
};

type Outcomes = Pick<SizeProgress, 'rendered' | 'reused' | 'failed'>;

/** `4 rendered, 2 reused, 1 failed`; zeros are left out. In an ended batch, some may have been cancelled. */
export function outcomeText({ rendered, reused, failed, cancelled = 0 }: Outcomes & { cancelled?: number }): string {
  const parts = Object.entries({ rendered, reused, failed, cancelled }).filter(([, number]) => number > 0);
  return parts.map(([name, number]) => `${number} ${name}`).join(', ') || 'none yet';
}

/** `24 jobs, 20 rendered, 4 reused` */
export function totalsText({ jobs, extraComputations, ...outcome }: Totals): string {
  return [
    count(jobs, 'job'),
    outcomeText(outcome),
    ...(extraComputations === 0 ? [] : [`${extraComputations} computed more than once`]),
  ].join(', ');
}

/** The batch's sizes, smallest first. */
export const sizesOf = ({ bySize }: Pick<BatchProgress, 'bySize'>): [Size, SizeProgress][] =>
  SIZES.flatMap((size) => (bySize[size] === undefined ? [] : [[size, bySize[size]]]));
