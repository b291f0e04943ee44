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
  /** Batches that wait for another to end. Those that were due are given up if the schedule is still paused by then. */
  waiting: number;
  /** When they were due, as far as that is known; those that were triggered or backfilled still start. */
  due: Date[];
};

/**
 * Starts no more batches until it is resumed; those that run go on.
 *
 * @throws UserError where there is no such schedule
 */
export function pauseSchedule(client: BatchClient, name: string): Promise<PausedSchedule> {
  return orderSchedule(client, name, { action: 'schedule-pause' }, async (handle, description) => {
    await handle.pause('a person paused it');
    return { waiting: waitingIn(description), due: await dueWaiting(client, description) };
  });
}

/** What was due since the last batch was started, as far as the overlap policy lets it wait. */
async function dueWaiting(client: BatchClient, description: ScheduleDescription): Promise<Date[]> {
  const [waiting, last] = [waitingIn(description), description.info.recentActions.at(-1)];
  const overlap = overlapOf(description);
  // With the others only what was triggered or backfilled waits.
  const lets = overlap === 'wait-one' || overlap === 'wait-all';
  if (waiting === 0 || last === undefined || !lets) return [];
  const due = await dueTimes(client, description.scheduleId, last.scheduledAt, new Date());
  return overlap === 'wait-one' ? due.slice(0, waiting) : due.slice(-waiting);
}

export type ResumedSchedule = {
  /** The last batch where it failed and the server has not noticed: it pauses the schedule again when the next is due, and leaves that one out. */
  unnoticed: string | null;
  next: Date | null;
};

/**
 * Starts batches again. With pause on failure the server is made to look first how the last batch ended: it would otherwise pause the
 * schedule again when the next is due, and leave that one out.
 *
 * @throws UserError where there is no such schedule
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
  /** `skipped` because a batch still runs; `waiting` until it has ended; `asked` where the server has not answered yet. */
  | { outcome: 'skipped' | 'waiting' | 'asked'; running: string[] };

const STARTS_WITHIN_MS = 15_000;
const BATCH_WITHIN_MS = 5_000;
const PAUSE_MS = 100;

/**
 * Starts a batch of the schedule now, as its overlap policy allows, also where it is paused.
 *
 * @throws UserError where there is no such schedule
 */
export function triggerSchedule(client: BatchClient, name: string): Promise<TriggeredSchedule> {
  return orderSchedule(client, name, { action: 'schedule-trigger' }, async (handle, before, tell) => {
    // Batches are called by the second, and the server drops another one of the same second.
    const sinceLast = Date.now() - Number(before.info.recentActions.at(-1)?.takenAt ?? 0);
    if (Math.abs(sinceLast) < 1_000) await sleep(1_000);
    // Without a policy the SDK asks for one batch beside the other, which the server then does not watch.
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

/** The batch that a run starts, which an orchestrator does within a moment: commands about it find it then. */
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
 * Starts the batches that were due in a time that has passed, one after the other, each under the id of the time it was due.
 *
 * @returns when they were due, the first thousand at most
 * @throws UserError where there is no such schedule, or the time ends before it begins or has not passed, or nothing was due in it
 */
export async function backfillSchedule(client: BatchClient, name: string, from: Date, to: Date): Promise<Date[]> {
  if (from >= to)
    throw new UserError(`backfill: expected a time that ends after ${from.toISOString()}, found ${to.toISOString()}`);
  if (to.getTime() > Date.now()) throw new UserError(`backfill: ${to.toISOString()} has not passed yet`);
  const details = { from: from.toISOString(), to: to.toISOString() };
  // A server that cannot go on with the schedule takes the request all the same, unless it is asked for a description first.
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

/** A schedule that its server cannot go on with is deleted all the same, though nobody knows its store. */
function unlessAnswered(error: unknown): string {
  if (error instanceof ScheduleNotFoundError || grpcAnswer(error) === undefined) throw error;
  return 'unknown';
}

/** Batches that it has started go on. @throws UserError where there is no such schedule */
export const deleteSchedule = (client: BatchClient, name: string): Promise<void> =>
  aboutSchedule(client, name, async (handle) => {
    const store = await handle.describe().then((description) => toldOf(description).store, unlessAnswered);
    await auditedControl(client, store, { action: 'schedule-delete', schedule: name }, () => handle.delete());
  });
