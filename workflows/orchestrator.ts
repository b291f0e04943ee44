/**
 * The activities that workflows call on the orchestrator's task queue, grouped by timeout. An image's activity is in
 * shard/render-job.ts.
 */
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

/** For conveniences: a batch neither waits a day for them nor fails without them. */
const threeTimes = { ...attempts, retry: { ...ORCHESTRATE_RETRY, maximumAttempts: 3 } } satisfies ActivityOptions;

/** Waits for a cancelled attempt, which decides itself how long to continue. */
const untilItEnds = {
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} satisfies ActivityOptions;

/** The steps towards a batch's images, retried for a day. */
export const orchestrator = proxyActivities<OrchestratorActivities>(forADay);

const { writeReceipts, writeManifest } = proxyActivities<OrchestratorActivities>({ ...forADay, ...untilItEnds });
const { writeContactSheet } = proxyActivities<OrchestratorActivities>({ ...threeTimes, ...untilItEnds });

/** The records written once images are there. `write` calls these, or `lastRecords` if the workflow is cancelled. */
export const records = { writeReceipts, writeManifest, writeContactSheet };

export type Records = typeof records;

export const lastRecords: Records = proxyActivities<OrchestratorActivities>({
  ...attempts,
  ...untilItEnds,
  retry: limits.LAST_TRIES_RETRY,
});

/** May wait long for its turn among many pages; nothing waits for it. */
export const { writeSheetPage } = proxyActivities<OrchestratorActivities>({
  ...attempts,
  retry: ORCHESTRATE_RETRY,
  scheduleToCloseTimeout: limits.ORCHESTRATE_SCHEDULE_TO_CLOSE,
  startToCloseTimeout: limits.SHEET_PAGE_START_TO_CLOSE,
});

/**
 * Activities that deliver messages, retried over a weekend, since a receiver may be down. Each channel has its own task
 * queue, so a message waits for a worker with the channel's secret, and is sent as soon as there is one.
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
