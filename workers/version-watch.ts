import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ServedBy } from '../connection/worker-connection.ts';
import { QUEUE_TYPE } from '../workflows/contract/pollers.ts';
import { ORCHESTRATOR_QUEUE } from '../workflows/contract/queues.ts';
import {
  isSameVersion,
  type Routing,
  routingOf,
  setCurrent,
  versionText,
  type WorkflowVersion,
} from '../workflows/contract/versions.ts';

const INTERVAL_MS = 5_000;

/**
 * Logs which batches an orchestrator with a version gets, at start and whenever that changes: if its version is not
 * current, it polls without getting work, which looks like a hang.
 *
 * @param stopped aborted when the log is no longer needed
 */
export async function tellRouting(
  server: ServedBy,
  version: WorkflowVersion,
  log: Logger,
  stopped: AbortSignal,
): Promise<void> {
  for (let told = ''; !stopped.aborted; await sleep(INTERVAL_MS, undefined, { signal: stopped }).catch(() => {})) {
    const routing = await ask(server);
    if (routing === null || stopped.aborted) continue;
    const { level, message } = shareOf(version, routing);
    if (message !== told) log[level](version, message);
    told = message;
  }
}

/** `null` if the server does not answer, which another part of the worker reports. */
async function ask({ connection, namespace }: ServedBy): Promise<Routing | null> {
  const asked = { namespace, taskQueue: { name: ORCHESTRATOR_QUEUE }, taskQueueType: QUEUE_TYPE.workflow };
  const told = await connection.workflowService.describeTaskQueue(asked).catch(() => null);
  return told === null ? null : routingOf(told.versioningInfo);
}

/** The share of new batches that an orchestrator with a version gets. */
export function shareOf(
  version: WorkflowVersion,
  { current, ramping }: Routing,
): { level: 'info' | 'warn'; message: string } {
  const share = ramping === null ? 0 : Math.round(ramping.percentage);
  if (isSameVersion(version, current)) {
    const but = ramping === null ? '' : `, except ${share} % of them`;
    return { level: 'info', message: `this version is current: new batches start here${but}` };
  }
  if (ramping !== null && isSameVersion(version, ramping.version)) {
    return { level: 'info', message: `${share} % of new batches start on this version` };
  }
  const others = current === null ? 'orchestrators without a version' : versionText(current);
  return {
    level: current === null ? 'warn' : 'info',
    message: `no new batches start on this version; they go to ${others}. Batches that started on this version finish here. To make it current: ${setCurrent(version)}`,
  };
}
