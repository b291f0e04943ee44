/** `2026-11-24T03:00:00.000Z` as `20261124T030000Z`: a batch id has no colons. */
const compact = (time: Date): string => time.toISOString().replace(/[-:]|\.\d+/g, '');

/** The id of a batch of that name which was submitted, or due, at a time. */
export const batchIdAt = (name: string, time: Date): string => `${name}-${compact(time)}`;
