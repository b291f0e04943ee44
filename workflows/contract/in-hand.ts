/** How a workflow is told of one of its activities that a worker has in hand: by its id, to which earlier versions add nothing. */
export const inHandText = (activityId: string, waits: boolean): string => `${activityId}${waits ? WAITS : ''}`;

/** Whether the activity does nothing but wait for a store. */
export const isWaiting = (inHand: string): boolean => inHand.endsWith(WAITS);

const WAITS = ' waits';
