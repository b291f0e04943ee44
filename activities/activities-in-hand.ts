import { Context } from '@temporalio/activity';
import { isInHand, waitOf } from '../workflows/contract/heartbeats.ts';

/**
 * The activity that tells a workflow which of its own activities a worker has in hand; the others still wait in their queue.
 *
 * @param which whether only those that do not just wait for a store
 */
export async function activitiesInHand({ atWork } = { atWork: false }): Promise<string[]> {
  const { client, info } = Context.current();
  const { workflowId, runId } = info.workflowExecution!;
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
  return (raw.pendingActivities ?? [])
    .filter((activity) => isInHand(activity) && !(atWork && waitOf(activity) !== null))
    .map(({ activityId }) => activityId ?? '');
}
