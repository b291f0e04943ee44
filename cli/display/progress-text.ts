import type { BatchProgress, SizeProgress, Totals, WatchedProgress } from '../../client/index.ts';
import { SIZES, type Size } from '../../domain/size.ts';
import { count } from './text.ts';

/** What is shown of a batch that runs. */
export type ShownProgress = BatchProgress & Partial<Pick<WatchedProgress, 'retrying' | 'inHand'>>;

/** Shows a batch's progress to whoever waits for it. */
export type ProgressDisplay = {
  /** How often it has use for news. */
  readonly everyMs: number;
  show(progress: ShownProgress): void;
  /**
   * Nobody answers, which may last: says that, once in a log, and nothing more of what was only true while somebody did.
   *
   * @param known what is known all the same; otherwise what was shown last
   */
  fallSilent(why: string, known?: ShownProgress): void;
  /** Leaves the screen as it is, with room for what follows. */
  end(): void;
};

type Outcomes = Pick<SizeProgress, 'rendered' | 'reused' | 'failed'>;

/** `4 rendered, 2 reused, 1 failed`; what is zero is left out. Of what has ended, some may have been cancelled. */
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

/** The batch's sizes, small ones first. */
export const sizesOf = ({ bySize }: Pick<BatchProgress, 'bySize'>): [Size, SizeProgress][] =>
  SIZES.flatMap((size) => (bySize[size] === undefined ? [] : [[size, bySize[size]]]));
