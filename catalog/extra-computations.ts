import type { Receipt } from './receipt.ts';

/** Computations that made no object: those of killed attempts, and one that lost a race to another worker. */
export const extraComputations = ({ outcome, computations }: Receipt): number =>
  outcome === 'rendered' ? computations - 1 : computations;
