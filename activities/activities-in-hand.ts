import { Context } from '@temporalio/activity';

/** `PENDING_ACTIVITY_STATE_SCHEDULED` of Temporal's API: in the queue, or between two attempts. */
const SCHEDULED = 1;

/** The activity that tells a workflow which of its own activities a worker has in hand; the others still wait in their queue. */
export async function activitiesInHand(): Promise<string[]> {
  const { client, info } = Context.current();
  const { workflowId, runId } = info.workflowExecution!;
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
  return (raw.pendingActivities ?? [])
    .filter(({ state }) => state !== SCHEDULED)
    .map(({ activityId }) => activityId ?? '');
}
