import { Context } from '@temporalio/activity';
import { rawValue } from '../encryption/raw-payloads.ts';
import { isInHand, waitOf } from '../workflows/contract/heartbeats.ts';
import { inHandText } from '../workflows/contract/in-hand.ts';

/**
 * The activity that reports which of the calling workflow's activities a worker has in hand; the others still wait in
 * their queue.
 */
export async function activitiesInHand(): Promise<string[]> {
  const { client, info } = Context.current();
  const { workflowId, runId } = info.workflowExecution!;
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
  const inHand = (raw.pendingActivities ?? []).filter(isInHand);
  return Promise.all(
    inHand.map(async (activity) => {
      const wait = await waitOf(activity, (payload) => rawValue(client, payload));
      return inHandText(activity.activityId ?? '', wait !== null);
    }),
  );
}
