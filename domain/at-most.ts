/** What a batch may come to at most. One that would come to more, or of which nobody can tell, starts nothing. */
export type AtMost = {
  /** Images that its store has not yet. */
  images?: number | undefined;
  /** Device time by what an hour of one device costs, both in the same currency. */
  cost?: { amount: number; perHour: number } | undefined;
};
