/** Limits of a batch. A batch that would exceed them, or cannot be estimated, does not start. */
export type AtMost = {
  /** Images that its store does not have yet. */
  images?: number | undefined;
  /** Cost of the device time, and the price of one device per hour, in the same currency. */
  cost?: { amount: number; perHour: number } | undefined;
};
