import type { Totals } from './receipt.ts';

/** `completed, 1 failed`: a completed batch may still lack images. */
export const stateText = (state: string, failed: number): string =>
  state === 'completed' && failed > 0 ? `${state}, ${failed} failed` : state;

/** Whether a batch has images, and all of them exist. */
export const isAllMade = ({ jobs, rendered, reused }: Totals): boolean => jobs > 0 && rendered + reused === jobs;

/** The same for a batch whose totals are known: `cancelled after all its images were made`, if that stopped none. */
export const endText = (state: string, totals: Totals): string =>
  state === 'cancelled' && isAllMade(totals)
    ? `${state} after all its images were made`
    : stateText(state, totals.failed);
