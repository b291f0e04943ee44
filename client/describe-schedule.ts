import { setTimeout as sleep } from 'node:timers/promises';
import { type ScheduleDescription, type ScheduleHandle, WorkflowNotFoundError } from '@temporalio/client';
import { msToTs, tsToDate } from '@temporalio/common/lib/time.js';
import type { AtMost } from '../domain/at-most.ts';
import { batchIdAt } from '../domain/batch-id.ts';
import type { ScheduledBatchInput } from '../workflows/contract/batch.ts';
import { findAnyBatch } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { shownReceiver } from './kept-schedule.ts';
import { aboutSchedule, inputOf, type ScheduleMemo, scheduleName, toldOf } from './schedules.ts';

/** One of the last batches that a schedule started. */
export type ScheduleRun = {
  batch: string;
  /** When it was due, or when it was triggered. */
  at: Date;
  cause: 'due' | 'triggered';
  /** `refused` if it would have exceeded a limit. */
  state: 'running' | 'completed' | 'failed' | 'refused' | 'cancelled' | 'terminated' | 'unknown';
  /** Why it failed or was refused, if known. */
  reason: string | null;
};

/** Everything that is known about one schedule. */
export type ScheduleDetails = ScheduleMemo & {
  name: string;
  paused: boolean;
  /** The note given when it was paused or resumed, or why it paused itself. */
  note: string | null;
  pauseOnFailure: boolean;
  catchUpMs: number;
  jitterMs: number;
  /** Images in flight at once per size, and the limits of each batch; `null` if unknown or unlimited. */
  window: number | null;
  atMost: AtMost | null;
  /**
   * The receiver of messages (only the origin of an address), the column mapping, and the template for names; `null` if
   * not set.
   */
  tells: string | null;
  columns: Record<string, string> | null;
  naming: string | null;
  next: Date[];
  /** Its last batches, newest first. */
  runs: ScheduleRun[];
  /** Times skipped because a batch was still running, and times missed outside the catch-up window. */
  skipped: { overlap: number; missed: number };
  /** How many of its last batches are running. */
  running: number;
  /** Batches that were due or triggered, and wait for another to end. */
  waiting: number;
  /**
   * The last batch, if it failed and the server has not noticed yet: it will pause the schedule when the next is due,
   * and skip that one.
   */
  unnoticed: string | null;
};

/**
 * Describes a schedule. This first makes the server check whether batches have ended, so that a pause on failure shows.
 *
 * @throws UserError if there is no such schedule, or the server cannot run it
 * @throws ServerUnreachable
 */
export function describeSchedule(client: BatchClient, name: string): Promise<ScheduleDetails> {
  return aboutSchedule(client, name, async (handle) =>
    detailsOf(client, name, await describeOnceLooked(client, handle)),
  );
}

const LOOK_MS = 5_000;
const PAUSE_MS = 100;

/**
 * A server notices that a batch has failed, and pauses its schedule, only when the next is due, which it then skips. It also
 * checks whenever the schedule is described, but answers that call first (servers 1.29 and 1.32,
 * tests/release/schedules.test.ts).
 */
export async function describeOnceLooked(client: BatchClient, handle: ScheduleHandle): Promise<ScheduleDescription> {
  for (const deadline = Date.now() + LOOK_MS; ; await sleep(PAUSE_MS)) {
    const description = await handle.describe();
    if (Date.now() > deadline || (await unnoticedFailure(client, description)) === null) return description;
  }
}

/** Id of the last workflow, if it failed and the server still thinks it is running. */
async function unnoticedFailure(client: BatchClient, { policies, raw }: ScheduleDescription): Promise<string | null> {
  if (!policies.pauseOnFailure) return null;
  const { startWorkflowResult, startWorkflowStatus } = raw.info?.recentActions?.at(-1) ?? {};
  const { workflowId, runId } = startWorkflowResult ?? {};
  if (!workflowId || startWorkflowStatus !== RUNNING) return null;
  return (await runOf(client, workflowId, runId)).state === 'failed' ? workflowId : null;
}

/** WORKFLOW_EXECUTION_STATUS_RUNNING in Temporal's API. */
const RUNNING = 1;

export async function detailsOf(
  client: BatchClient,
  name: string,
  description: ScheduleDescription,
): Promise<ScheduleDetails> {
  const { state, policies, spec, info } = description;
  const input = inputOf(description);
  const runs = await runsOf(client, description.scheduleId, info.recentActions);
  const unnoticed = await unnoticedFailure(client, description);
  return {
    ...toldOf(description),
    name,
    paused: state.paused,
    note: state.note || null,
    pauseOnFailure: policies.pauseOnFailure,
    catchUpMs: policies.catchupWindow,
    jitterMs: spec.jitter ?? 0,
    window: input?.window ?? null,
    atMost: input?.atMost ?? null,
    tells: input?.webhook === undefined ? null : shownReceiver(input.webhook),
    ...readingOf(input),
    next: info.nextActionTimes,
    runs,
    skipped: { overlap: info.numActionsSkippedOverlap, missed: info.numActionsMissedCatchupWindow },
    running: runs.filter((run) => run.state === 'running').length,
    waiting: waitingIn(description),
    unnoticed: unnoticed === null ? null : (runs[0]?.batch ?? null),
  };
}

function readingOf(input: ScheduledBatchInput | null): Pick<ScheduleDetails, 'columns' | 'naming'> {
  if (input?.source.kind !== 'catalog') return { columns: null, naming: null };
  const { columns, naming = null } = input.source;
  return { columns: Object.keys(columns).length === 0 ? null : columns, naming };
}

export const waitingIn = ({ raw }: ScheduleDescription): number => Number(raw.info?.bufferSize ?? 0);

/** The outcomes of the batches that a schedule started, newest first. */
export async function runsOf(
  client: BatchClient,
  scheduleId: string,
  actions: ScheduleDescription['info']['recentActions'],
): Promise<ScheduleRun[]> {
  return Promise.all(
    actions.toReversed().map(async ({ scheduledAt, action }): Promise<ScheduleRun> => {
      const { workflowId, firstExecutionRunId } = action.workflow;
      const [due, { state, at = scheduledAt }] = await Promise.all([
        dueTimes(client, scheduleId, new Date(+scheduledAt - 1_000), scheduledAt),
        runOf(client, workflowId, firstExecutionRunId),
      ]);
      const cause = due.some((time) => +time === +scheduledAt) ? 'due' : 'triggered';
      const batch = batchIdAt(scheduleName(scheduleId), at);
      return { batch, at, cause, ...(state === 'failed' ? await failureOf(client, batch) : { state, reason: null }) };
    }),
  );
}

/** The reason of a failed run, from its batch. */
async function failureOf(client: BatchClient, batch: string): Promise<Pick<ScheduleRun, 'state' | 'reason'>> {
  const listing = await findAnyBatch(client, batch);
  return { state: listing?.state === 'refused' ? 'refused' : 'failed', reason: listing?.withoutManifest ?? null };
}

const STATES: Record<string, ScheduleRun['state']> = {
  RUNNING: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  TIMED_OUT: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
};

/** The outcome of a run, and the time in the id of its batch; the server may have forgotten both. */
async function runOf(
  { temporal }: BatchClient,
  workflowId: string,
  runId: string | null | undefined,
): Promise<{ state: ScheduleRun['state']; at?: Date }> {
  try {
    const { status, searchAttributes } = await temporal.workflow.getHandle(workflowId, runId ?? undefined).describe();
    const at = searchAttributes.TemporalScheduledStartTime?.[0];
    return { state: STATES[status.name] ?? 'unknown', ...(at instanceof Date && { at }) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { state: 'unknown' };
    throw error;
  }
}

/** When a schedule is due, with its jitter, after `from` and up to `to`; at most a thousand times. */
export async function dueTimes(
  { temporal, namespace }: BatchClient,
  scheduleId: string,
  from: Date,
  to: Date,
): Promise<Date[]> {
  const { startTime } = await temporal.workflowService.listScheduleMatchingTimes({
    namespace,
    scheduleId,
    startTime: msToTs(+from),
    endTime: msToTs(+to),
  });
  return (startTime ?? []).map((time) => tsToDate(time));
}
