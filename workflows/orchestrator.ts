/** The activities that workflows call on the orchestrator's queue, by how long each may go on. An image's is in shard/render-job.ts. */
import { proxyActivities } from '@temporalio/workflow';
import type { OrchestratorActivities } from './contract/activities.ts';
import * as limits from './contract/limits.ts';
import { ORCHESTRATOR_QUEUE } from './contract/queues.ts';

/** The steps that a batch is made of, which go on for a day. */
export const orchestrator = proxyActivities<OrchestratorActivities>({
  taskQueue: ORCHESTRATOR_QUEUE,
  scheduleToCloseTimeout: limits.ORCHESTRATE_SCHEDULE_TO_CLOSE,
  startToCloseTimeout: limits.ORCHESTRATE_START_TO_CLOSE,
  heartbeatTimeout: limits.ORCHESTRATE_HEARTBEAT_TIMEOUT,
  retry: limits.ORCHESTRATE_RETRY,
});

/** The sheet is a convenience: a batch does not wait for a day, or fail, for want of it. */
export const { writeContactSheet } = proxyActivities<OrchestratorActivities>({
  taskQueue: ORCHESTRATOR_QUEUE,
  startToCloseTimeout: limits.ORCHESTRATE_START_TO_CLOSE,
  heartbeatTimeout: limits.ORCHESTRATE_HEARTBEAT_TIMEOUT,
  retry: { ...limits.ORCHESTRATE_RETRY, maximumAttempts: 3 },
});

export const { writeSheetPage } = proxyActivities<OrchestratorActivities>({
  taskQueue: ORCHESTRATOR_QUEUE,
  startToCloseTimeout: limits.SHEET_PAGE_START_TO_CLOSE,
  heartbeatTimeout: limits.ORCHESTRATE_HEARTBEAT_TIMEOUT,
  retry: { ...limits.ORCHESTRATE_RETRY, maximumAttempts: 3 },
});

/** Goes on over a weekend: a receiver may be away. */
export const { postWebhook } = proxyActivities<OrchestratorActivities>({
  taskQueue: ORCHESTRATOR_QUEUE,
  scheduleToCloseTimeout: limits.WEBHOOK_SCHEDULE_TO_CLOSE,
  startToCloseTimeout: limits.WEBHOOK_START_TO_CLOSE,
  retry: limits.WEBHOOK_RETRY,
});
