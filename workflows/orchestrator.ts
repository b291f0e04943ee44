/** The activities that workflows call on the orchestrator's queue, by how long each may go on. An image's is in shard/render-job.ts. */
import { ActivityCancellationType, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { MessageActivities, OrchestratorActivities } from './contract/activities.ts';
import * as limits from './contract/limits.ts';
import { messageQueue, ORCHESTRATOR_QUEUE } from './contract/queues.ts';

const { ORCHESTRATE_RETRY } = limits;

const attempts = {
  taskQueue: ORCHESTRATOR_QUEUE,
  startToCloseTimeout: limits.ORCHESTRATE_START_TO_CLOSE,
  heartbeatTimeout: limits.ORCHESTRATE_HEARTBEAT_TIMEOUT,
} satisfies ActivityOptions;

const forADay = {
  ...attempts,
  scheduleToCloseTimeout: limits.ORCHESTRATE_SCHEDULE_TO_CLOSE,
  retry: ORCHESTRATE_RETRY,
} satisfies ActivityOptions;

/** A convenience: a batch does not wait for a day, or fail, for want of it. */
const threeTimes = { ...attempts, retry: { ...ORCHESTRATE_RETRY, maximumAttempts: 3 } } satisfies ActivityOptions;

/** An attempt that is cancelled says itself whether it is worth waiting for. */
const untilItEnds = {
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} satisfies ActivityOptions;

/** The steps that lead to a batch's images, which go on for a day. */
export const orchestrator = proxyActivities<OrchestratorActivities>(forADay);

const { writeReceipts, writeManifest } = proxyActivities<OrchestratorActivities>({ ...forADay, ...untilItEnds });
const { writeContactSheet } = proxyActivities<OrchestratorActivities>({ ...threeTimes, ...untilItEnds });

/** What is written when images are there: `write` calls these, and the others where the workflow is cancelled. */
export const records = { writeReceipts, writeManifest, writeContactSheet };

export type Records = typeof records;

export const lastRecords: Records = proxyActivities<OrchestratorActivities>({
  ...attempts,
  ...untilItEnds,
  retry: limits.LAST_TRIES_RETRY,
});

/** Of many pages some wait for their turn; nobody waits for them. */
export const { writeSheetPage } = proxyActivities<OrchestratorActivities>({
  ...attempts,
  retry: ORCHESTRATE_RETRY,
  scheduleToCloseTimeout: limits.ORCHESTRATE_SCHEDULE_TO_CLOSE,
  startToCloseTimeout: limits.SHEET_PAGE_START_TO_CLOSE,
});

/**
 * Goes on over a weekend: a receiver may be away. Each channel has a queue of its own, so that a message waits for a worker that has what it
 * takes, and goes out as soon as there is one.
 */
export function messenger(channel: string): MessageActivities {
  const overAWeekend = {
    taskQueue: messageQueue(channel),
    scheduleToCloseTimeout: limits.WEBHOOK_SCHEDULE_TO_CLOSE,
    retry: limits.WEBHOOK_RETRY,
  };
  const { postWebhook } = proxyActivities<MessageActivities>({
    ...overAWeekend,
    startToCloseTimeout: limits.WEBHOOK_START_TO_CLOSE,
  });
  const { sendMessage } = proxyActivities<MessageActivities>({
    ...overAWeekend,
    startToCloseTimeout: limits.MESSAGE_START_TO_CLOSE,
    heartbeatTimeout: limits.ORCHESTRATE_HEARTBEAT_TIMEOUT,
  });
  return { postWebhook, sendMessage };
}
