import type { temporal } from '@temporalio/proto';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** The actions that Temporal Cloud bills, by kind. */
export type Actions = Record<string, number>;

/**
 * The billed actions in a workflow's history, by the rules in Temporal's documentation ("Temporal Cloud Actions",
 * docs.temporal.io/cloud/actions, read 2026-11-30). Queries, heartbeats and schedules leave no trace there.
 */
export function billedActions(events: readonly HistoryEvent[]): Actions {
  const actions: Actions = {};
  const add = (kind: string, count = 1): void => {
    actions[kind] = (actions[kind] ?? 0) + count;
  };
  // All markers of one workflow task, such as those of patches, are one action.
  const tasksWithMarkers = new Set<string>();
  for (const event of events) {
    const { workflowExecutionStartedEventAttributes: started, activityTaskStartedEventAttributes: attempt } = event;
    const attributes = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
    // A child's start is billed to its parent.
    if (started && !started.parentWorkflowExecution) add('workflows started');
    if (started?.parentWorkflowExecution && started.continuedExecutionRunId) add('workflows started');
    if (event.startChildWorkflowExecutionInitiatedEventAttributes) add('child workflows (2 each)', 2);
    if (attempt) add('activity attempts', attempt.attempt ?? 1);
    if (event.timerStartedEventAttributes) add('timers');
    if (event.workflowExecutionSignaledEventAttributes) add('signals');
    if (event.workflowExecutionUpdateAcceptedEventAttributes) add('updates');
    if (attributes && Object.keys(attributes).some((name) => name !== 'TemporalChangeVersion'))
      add('search attributes');
    if (event.markerRecordedEventAttributes) {
      tasksWithMarkers.add(`${event.markerRecordedEventAttributes.workflowTaskCompletedEventId}`);
    }
  }
  if (tasksWithMarkers.size > 0) add('markers', tasksWithMarkers.size);
  return actions;
}

/** The totals by kind. */
export function sumOf(counts: readonly Actions[]): Actions {
  const sum: Actions = {};
  for (const actions of counts) {
    for (const [kind, count] of Object.entries(actions)) sum[kind] = (sum[kind] ?? 0) + count;
  }
  return sum;
}

export const totalOf = (actions: Actions): number => Object.values(actions).reduce((sum, count) => sum + count, 0);
