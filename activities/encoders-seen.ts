import { Context } from '@temporalio/activity';
import type { EncodeActivities } from '../workflows/contract/activities.ts';
import { isInHand } from '../workflows/contract/heartbeats.ts';
import { QUEUE_TYPE, seenLately } from '../workflows/contract/pollers.ts';
import { encodeQueue } from '../workflows/contract/queues.ts';

const ENCODING: keyof EncodeActivities = 'encodeCaptions';

/**
 * The activity that counts the workers that polled lately for texts to encode. A worker has one text in hand at a time and does not
 * poll meanwhile, so one that has the calling workflow's text counts too.
 */
export async function encodersSeen({ encoder }: { encoder: string }): Promise<number> {
  const { client, info } = Context.current();
  const { workflowId, runId } = info.workflowExecution!;
  const [{ pollers }, { raw }] = await Promise.all([
    client.workflowService.describeTaskQueue({
      namespace: info.activityNamespace,
      taskQueue: { name: encodeQueue(encoder) },
      taskQueueType: QUEUE_TYPE.activity,
    }),
    client.workflow.getHandle(workflowId, runId).describe(),
  ]);
  const encoding = (raw.pendingActivities ?? []).filter(
    (pending) => pending.activityType?.name === ENCODING && isInHand(pending),
  );
  return Math.max(new Set(seenLately(pollers ?? [], Date.now())).size, encoding.length);
}
