/** `2026-11-24T03:00:00.000Z` as `20261124T030000Z`: names of batches and files have no colons. */
export const compactTime = (time: Date): string => time.toISOString().replace(/[-:]|\.\d+/g, '');

/** The id of a batch with this name that was submitted, or due, at this time. */
export const batchIdAt = (name: string, time: Date): string => `${name}-${compactTime(time)}`;
