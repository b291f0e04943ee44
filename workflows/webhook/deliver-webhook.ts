import { proxyActivities } from '@temporalio/workflow';
import type { OrchestratorActivities } from '../contract/activities.ts';
import * as limits from '../contract/limits.ts';
import { ORCHESTRATOR_QUEUE } from '../contract/queues.ts';
import type { WebhookDelivery } from '../contract/webhook.ts';

const { postWebhook } = proxyActivities<OrchestratorActivities>({
  taskQueue: ORCHESTRATOR_QUEUE,
  scheduleToCloseTimeout: limits.WEBHOOK_SCHEDULE_TO_CLOSE,
  startToCloseTimeout: limits.WEBHOOK_START_TO_CLOSE,
  retry: limits.WEBHOOK_RETRY,
});

/** Posts one event until the receiver takes it, for some days. It fails where that stays in vain, for a person to see. */
export const deliverWebhook = (delivery: WebhookDelivery): Promise<void> => postWebhook(delivery);
