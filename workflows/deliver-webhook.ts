import { proxyActivities } from '@temporalio/workflow';
import { ORCHESTRATOR_QUEUE, type OrchestratorActivities, type WebhookDelivery } from './contract.ts';
import * as limits from './limits.ts';

const { postWebhook } = proxyActivities<OrchestratorActivities>({
  taskQueue: ORCHESTRATOR_QUEUE,
  scheduleToCloseTimeout: limits.WEBHOOK_SCHEDULE_TO_CLOSE,
  startToCloseTimeout: limits.WEBHOOK_START_TO_CLOSE,
  retry: limits.WEBHOOK_RETRY,
});

/** Posts one event until the receiver takes it, for some days. It fails where that stays in vain, for a person to see. */
export const deliverWebhook = (delivery: WebhookDelivery): Promise<void> => postWebhook(delivery);
