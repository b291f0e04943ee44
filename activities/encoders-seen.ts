import { Context } from '@temporalio/activity';
import { QUEUE_TYPE, seenLately } from '../workflows/contract/pollers.ts';
import { encodeQueue } from '../workflows/contract/queues.ts';

/** The activity that tells how many workers have asked lately for texts to encode. */
export async function encodersSeen({ encoder }: { encoder: string }): Promise<number> {
  const { client, info } = Context.current();
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: info.activityNamespace,
    taskQueue: { name: encodeQueue(encoder) },
    taskQueueType: QUEUE_TYPE.activity,
  });
  return new Set(seenLately(pollers ?? [], Date.now())).size;
}
