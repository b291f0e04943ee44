import type { Unmade } from './work.ts';

/** What happened to an export's files, by their names in the place. */
export type Outcome = {
  /** Files that were, or would be, written. */
  written: string[];
  /** Files of an earlier export that are still up to date. */
  unchanged: string[];
  /** Names taken by files that no export wrote, or that were changed since; those files stay. */
  kept: string[];
  /** Files of the batch's earlier exports that this one does not include; they stay. */
  left: string[];
  unmade: Unmade[];
  /** Ids, each once, of pictures cut out of a background that is hard to distinguish from their edges. */
  unclear: string[];
};

export const emptyOutcome = (): Outcome => ({
  written: [],
  unchanged: [],
  kept: [],
  left: [],
  unmade: [],
  unclear: [],
});
