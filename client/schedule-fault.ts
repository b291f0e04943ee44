import {
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { BatchClient } from './connect.ts';
import { grpcAnswer } from './server-trouble.ts';

/** The server runs each schedule in its own workflow, whose id is this prefix and the schedule's id (servers 1.29 and 1.32). */
const KEEPER = 'temporal-sys-scheduler:';

/** Deleting a schedule terminates its workflow too, with this reason. */
const DELETED = 'terminated by DeleteSchedule';

/** A workflow task is retried once if a server process restarts, but again and again if it cannot succeed. */
const ATTEMPTS = 2;

/** Why the server cannot run a schedule; `null` if it can, or does not know it. */
export async function scheduleFault(client: BatchClient, scheduleId: string): Promise<string | null> {
  const keeper = client.listings.workflow.getHandle(`${KEEPER}${scheduleId}`);
  try {
    const description = await keeper.describe();
    return description.status.name === 'RUNNING'
      ? faultOfRunning(description)
      : await faultOfEnded(client, description);
  } catch (error) {
    // Not every server keeps it there, or grants access to it.
    if (error instanceof WorkflowNotFoundError || grpcAnswer(error) !== undefined) return null;
    throw error;
  }
}

const faultOfRunning = ({ raw }: WorkflowExecutionDescription): string | null =>
  (raw.pendingWorkflowTask?.attempt ?? 0) > ATTEMPTS
    ? 'its own workflow on the server keeps failing, as after another version of the server has used this database'
    : null;

async function faultOfEnded(
  { temporal, namespace }: BatchClient,
  {
    workflowId,
    runId,
    status,
    closeTime,
  }: Pick<WorkflowExecutionInfo, 'workflowId' | 'runId' | 'status' | 'closeTime'>,
): Promise<string | null> {
  if (status.name === 'COMPLETED' || status.name === 'CONTINUED_AS_NEW') return null;
  const { history } = await temporal.workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId, runId },
    historyEventFilterType: CLOSE_EVENT,
  });
  const end = history?.events?.at(-1);
  const reason =
    end?.workflowExecutionTerminatedEventAttributes?.reason ??
    end?.workflowExecutionFailedEventAttributes?.failure?.message;
  if (reason === DELETED) return null;
  const how = status.name.toLowerCase().replace('_', ' ');
  return `its own workflow on the server ended at ${closeTime?.toISOString()} (${how}${reason ? `: ${reason}` : ''})`;
}

/** HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT in Temporal's API. */
const CLOSE_EVENT = 2;

/** Schedules whose own workflows ended without being deleted, which the server's list omits; newest first. */
export async function* endedSchedules(
  client: BatchClient,
): AsyncGenerator<{ scheduleId: string; memo: Record<string, unknown> | undefined; fault: string }> {
  const query = `TemporalNamespaceDivision = 'TemporalScheduler' AND ExecutionStatus IN ('Failed', 'TimedOut', 'Terminated', 'Canceled')`;
  const seen = new Set<string>();
  try {
    for await (const info of client.listings.workflow.list({ query })) {
      const scheduleId = info.workflowId.slice(KEEPER.length);
      if (seen.has(scheduleId)) continue;
      seen.add(scheduleId);
      const fault = await faultOfEnded(client, info);
      if (fault !== null) yield { scheduleId, memo: info.memo, fault };
    }
  } catch (error) {
    if (grpcAnswer(error) === undefined) throw error;
  }
}
