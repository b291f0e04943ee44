/**
 * How a workflow learns of one of its activities that a worker is executing: the activity's id, plus (not in earlier
 * versions) a mark.
 */
export const inHandText = (activityId: string, waits: boolean): string => `${activityId}${waits ? WAITS : ''}`;

/** Whether the activity is only waiting for a store. */
export const isWaiting = (inHand: string): boolean => inHand.endsWith(WAITS);

const WAITS = ' waits';
