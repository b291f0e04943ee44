import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ScheduleDescription,
  type ScheduleHandle,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { UserError } from '../domain/user-error.ts';
import { auditedControl } from './audited-control.ts';
import { batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { describeOnceLooked, detailsOf, dueTimes, runsOf, waitingIn } from './describe-schedule.ts';
import { aboutSchedule, orderSchedule, overlapOf, toldOf } from './schedules.ts';
import { grpcAnswer } from './server-trouble.ts';

export type PausedSchedule = {
  /** Batches that wait for another to end. Those that were due are dropped if the schedule is still paused by then. */
  waiting: number;
  /** When they were due, if known; triggered and backfilled batches still start. */
  due: Date[];
};

/**
 * Pauses a schedule: it starts no more batches until it is resumed. Running batches continue.
 *
 * @throws UserError if there is no such schedule
 */
export function pauseSchedule(client: BatchClient, name: string): Promise<PausedSchedule> {
  return orderSchedule(client, name, { action: 'schedule-pause' }, async (handle, description) => {
    await handle.pause('a person paused it');
    return { waiting: waitingIn(description), due: await dueWaiting(client, description) };
  });
}

/** The times due since the last batch started, if the overlap policy lets batches wait. */
async function dueWaiting(client: BatchClient, description: ScheduleDescription): Promise<Date[]> {
  const [waiting, last] = [waitingIn(description), description.info.recentActions.at(-1)];
  const overlap = overlapOf(description);
  // With the other policies, only triggered or backfilled batches wait.
  const lets = overlap === 'wait-one' || overlap === 'wait-all';
  if (waiting === 0 || last === undefined || !lets) return [];
  const due = await dueTimes(client, description.scheduleId, last.scheduledAt, new Date());
  return overlap === 'wait-one' ? due.slice(0, waiting) : due.slice(-waiting);
}

export type ResumedSchedule = {
  /**
   * The last batch, if it failed and the server has not noticed: it will pause the schedule again when the next is due,
   * and skip that one.
   */
  unnoticed: string | null;
  next: Date | null;
};

/**
 * Resumes a schedule. With pause on failure, this first makes the server check how the last batch ended: otherwise it would
 * pause the schedule again when the next is due, and skip that one.
 *
 * @throws UserError if there is no such schedule
 */
export function resumeSchedule(client: BatchClient, name: string): Promise<ResumedSchedule> {
  return orderSchedule(client, name, { action: 'schedule-resume' }, async (handle) => {
    const { unnoticed, next } = await detailsOf(client, name, await describeOnceLooked(client, handle));
    await handle.unpause('a person resumed it');
    return { unnoticed, next: next[0] ?? null };
  });
}

export type TriggeredSchedule =
  | { outcome: 'started'; batch: string }
  /** `skipped` because a batch is still running; `waiting` until it has ended; `asked` if the server has not acted yet. */
  | { outcome: 'skipped' | 'waiting' | 'asked'; running: string[] };

const STARTS_WITHIN_MS = 15_000;
const BATCH_WITHIN_MS = 5_000;
const PAUSE_MS = 100;

/**
 * Starts a batch of the schedule now, if its overlap policy allows it; works while the schedule is paused too.
 *
 * @throws UserError if there is no such schedule
 */
export function triggerSchedule(client: BatchClient, name: string): Promise<TriggeredSchedule> {
  return orderSchedule(client, name, { action: 'schedule-trigger' }, async (handle, before, tell) => {
    // Batches are named by the second, and the server drops a second one with the same name.
    const sinceLast = Date.now() - Number(before.info.recentActions.at(-1)?.takenAt ?? 0);
    if (Math.abs(sinceLast) < 1_000) await sleep(1_000);
    // Without a policy, the SDK requests a parallel batch, which the server does not watch.
    await handle.trigger(before.policies.overlap);
    const result = await outcomeOf(client, handle, before);
    tell({ outcome: result.outcome, ...(result.outcome === 'started' && { batch: result.batch }) });
    return result;
  });
}

async function outcomeOf(
  client: BatchClient,
  handle: ScheduleHandle,
  before: ScheduleDescription,
): Promise<TriggeredSchedule> {
  const known = new Set(before.info.recentActions.map(({ action }) => action.workflow.workflowId));
  for (const deadline = Date.now() + STARTS_WITHIN_MS; ; await sleep(PAUSE_MS)) {
    const now = await handle.describe();
    const started = now.info.recentActions.find(({ action }) => !known.has(action.workflow.workflowId));
    if (started !== undefined) return { outcome: 'started', batch: await batchOf(client, now.scheduleId, started) };
    const outcome = waitsOrNot(before, now) ?? (Date.now() > deadline ? 'asked' : null);
    if (outcome === null) continue;
    const runs = await runsOf(client, now.scheduleId, now.info.recentActions);
    return { outcome, running: runs.filter(({ state }) => state === 'running').map(({ batch }) => batch) };
  }
}

/** The batch that a scheduled run starts. Waits until an orchestrator has started it, so that later commands find it. */
async function batchOf(
  client: BatchClient,
  id: string,
  action: ScheduleDescription['info']['recentActions'][number],
): Promise<string> {
  const [run] = await runsOf(client, id, [action]);
  const { batch } = run!;
  for (const deadline = Date.now() + BATCH_WITHIN_MS; Date.now() < deadline; await sleep(PAUSE_MS)) {
    try {
      await batchHandle(client, batch).describe();
      break;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
  return batch;
}

function waitsOrNot(before: ScheduleDescription, now: ScheduleDescription): 'skipped' | 'waiting' | null {
  if (now.info.numActionsSkippedOverlap > before.info.numActionsSkippedOverlap) return 'skipped';
  return waitingIn(now) > waitingIn(before) ? 'waiting' : null;
}

/**
 * Starts the batches that were due in a past period, one after another, each with the id of its due time.
 *
 * @returns the due times, up to a thousand
 * @throws UserError if there is no such schedule, the period ends before it begins or is not over, or nothing was due in it
 */
export async function backfillSchedule(client: BatchClient, name: string, from: Date, to: Date): Promise<Date[]> {
  if (from >= to)
    throw new UserError(`backfill: expected an end after ${from.toISOString()}, found ${to.toISOString()}`);
  if (to.getTime() > Date.now()) throw new UserError(`backfill: ${to.toISOString()} has not passed yet`);
  const details = { from: from.toISOString(), to: to.toISOString() };
  // A server that cannot run the schedule accepts a backfill nevertheless, but it refuses to describe the schedule.
  return orderSchedule(client, name, { action: 'schedule-backfill', details }, async (handle, { scheduleId }, tell) => {
    const due = await dueTimes(client, scheduleId, new Date(+from - 1), to);
    if (due.length === 0) {
      throw new UserError(`backfill: schedule ${name} was not due from ${from.toISOString()} to ${to.toISOString()}`);
    }
    await handle.backfill({ start: from, end: to, overlap: ScheduleOverlapPolicy.BUFFER_ALL });
    tell({ batches: due.length });
    return due;
  });
}

/** A schedule that its server cannot run can still be deleted, although its store is unknown. */
function unlessAnswered(error: unknown): string {
  if (error instanceof ScheduleNotFoundError || grpcAnswer(error) === undefined) throw error;
  return 'unknown';
}

/** Deletes a schedule; its running batches continue. @throws UserError if there is no such schedule */
export const deleteSchedule = (client: BatchClient, name: string): Promise<void> =>
  aboutSchedule(client, name, async (handle) => {
    const store = await handle.describe().then((description) => toldOf(description).store, unlessAnswered);
    await auditedControl(client, store, { action: 'schedule-delete', schedule: name }, () => handle.delete());
  });
