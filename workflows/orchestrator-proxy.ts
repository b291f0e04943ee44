import { proxyActivities } from '@temporalio/workflow';
import type { OrchestratorActivities } from './contract/activities.ts';
import * as limits from './contract/limits.ts';
import { ORCHESTRATOR_QUEUE } from './contract/queues.ts';

/** The orchestrator's activities, which go on for a day. */
export const orchestrator = proxyActivities<OrchestratorActivities>({
  taskQueue: ORCHESTRATOR_QUEUE,
  scheduleToCloseTimeout: limits.ORCHESTRATE_SCHEDULE_TO_CLOSE,
  startToCloseTimeout: limits.ORCHESTRATE_START_TO_CLOSE,
  heartbeatTimeout: limits.ORCHESTRATE_HEARTBEAT_TIMEOUT,
  retry: limits.ORCHESTRATE_RETRY,
});
