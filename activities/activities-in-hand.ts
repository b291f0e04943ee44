import { Context } from '@temporalio/activity';
import { isInHand, waitOf } from '../workflows/contract/heartbeats.ts';
import { inHandText } from '../workflows/contract/in-hand.ts';

/** The activity that tells a workflow which of its own activities a worker has in hand; the others still wait in their queue. */
export async function activitiesInHand(): Promise<string[]> {
  const { client, info } = Context.current();
  const { workflowId, runId } = info.workflowExecution!;
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
  return (raw.pendingActivities ?? [])
    .filter(isInHand)
    .map((activity) => inHandText(activity.activityId ?? '', waitOf(activity) !== null));
}
