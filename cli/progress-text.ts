import { SIZES, type Size } from '../catalog/size.ts';
import type { BatchProgress, SizeProgress } from '../workflows/contract.ts';

type Outcomes = Pick<SizeProgress, 'rendered' | 'reused' | 'failed'>;

export const settled = ({ rendered, reused, failed }: Outcomes): number => rendered + reused + failed;

/** `4 rendered, 2 reused, 1 failed`; what is zero is left out. */
export function outcomeText({ rendered, reused, failed }: Outcomes): string {
  const parts = Object.entries({ rendered, reused, failed }).filter(([, number]) => number > 0);
  return parts.map(([name, number]) => `${number} ${name}`).join(', ') || 'none yet';
}

/** The batch's sizes, small ones first. */
export const sizesOf = ({ bySize }: Pick<BatchProgress, 'bySize'>): [Size, SizeProgress][] =>
  SIZES.flatMap((size) => (bySize[size] === undefined ? [] : [[size, bySize[size]]]));
