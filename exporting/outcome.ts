import type { Unmade } from './work.ts';

/** What became of an export's files, by their names in the place. */
export type Outcome = {
  /** Those that were made, or would be. */
  written: string[];
  /** Those that an earlier export wrote, and that would be the same. */
  unchanged: string[];
  /** Names under which something lies that no export wrote, or that was changed since; it stays. */
  kept: string[];
  /** Files of earlier exports of the batch that this one does not have; they stay. */
  left: string[];
  unmade: Unmade[];
  /** Ids of pictures, each once, that were cut out of a background which their rims can hardly be told from. */
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
