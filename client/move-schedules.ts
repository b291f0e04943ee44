import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { BatchClient } from './connect.ts';
import { dueTimes } from './describe-schedule.ts';
import { makeRawSchedule, readRawSchedule } from './saved-schedules.ts';
import { scheduleName } from './schedules.ts';

export type MovedSchedule = {
  name: string;
  paused: boolean;
  /** Times that came due while neither server was running: the new one catches up on them. */
  due: Date[];
};

/**
 * A server fills its lists from a queue, and continues after a restart. With server 1.29.1, they were complete when a
 * restarted server first answered (11 restarts, 7 of them after kill -9, with up to 20 schedules made just before), but
 * nothing guarantees that. Two equal lists this far apart allow for a busy machine.
 */
const SETTLING_MS = 3_000;

async function settled<T>(list: () => AsyncIterable<T>, idOf: (item: T) => string): Promise<string[]> {
  const ids = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const item of list()) found.push(idOf(item));
    return found.sort();
  };
  for (let before = await ids(); ; ) {
    await sleep(SETTLING_MS);
    const now = await ids();
    if (isDeepStrictEqual(now, before)) return now;
    before = now;
  }
}

/** What is still running on a server. */
type Unfinished = {
  /** Ids of batches. */
  batches: string[];
  /** What ended batches still have to do, in words; no results depend on it. */
  afterwards: string[];
};

/** By workflow type. The server may run other people's workflows too. */
const AFTERWARDS: ReadonlyMap<string, string> = new Map([
  ['deliverWebhook', 'a message to the webhook'],
  ['makeSheetPage', 'the review page'],
]);

/** Work that started before `time` and has not ended. */
export async function unfinishedBefore({ listings }: BatchClient, time: Date): Promise<Unfinished> {
  const query = `ExecutionStatus = 'Running' AND StartTime < '${time.toISOString()}'`;
  const running = await settled(
    () => listings.workflow.list({ query }),
    ({ type, workflowId }) => `${type} ${workflowId}`,
  );
  const batches = new Set<string>();
  const scheduled = new Set<string>();
  const afterwards = new Set<string>();
  for (const [type = '', id = ''] of running.map((found) => found.split(' '))) {
    const batch = id.split('/')[1] ?? id;
    const afterward = AFTERWARDS.get(type);
    if (afterward !== undefined) afterwards.add(`${afterward} of ${batch}`);
    else (type === 'scheduledBatch' ? scheduled : batches).add(batch);
  }
  // A scheduled run waits for its batch, which is in the list already.
  return { batches: [...(batches.size > 0 ? batches : scheduled)], afterwards: [...afterwards] };
}

/**
 * Recreates every schedule of one server on another, which has none: its times, action and policies, whether it is paused,
 * and its note. Its history is not moved.
 *
 * @param servedUntil when the old server last ran: the new one catches up on what came due since then
 */
export async function moveSchedules(from: BatchClient, to: BatchClient, servedUntil: Date): Promise<MovedSchedule[]> {
  const ids = await settled(
    () => from.listings.schedule.list(),
    (schedule) => schedule.scheduleId,
  );
  const moved: MovedSchedule[] = [];
  for (const id of ids) {
    const paused = await makeAnew(from, to, id);
    const due = paused ? [] : await makeUp(from, to, id, servedUntil);
    moved.push({ name: scheduleName(id), paused, due });
  }
  return moved;
}

/** @returns whether it is paused, which a listing may not show yet */
async function makeAnew(from: BatchClient, to: BatchClient, scheduleId: string): Promise<boolean> {
  const raw = await readRawSchedule(from, scheduleId);
  await makeRawSchedule(to, scheduleId, raw);
  return raw.schedule.state?.paused ?? false;
}

async function makeUp(from: BatchClient, to: BatchClient, scheduleId: string, servedUntil: Date): Promise<Date[]> {
  const anew = to.listings.schedule.getHandle(scheduleId);
  const { info, spec, policies } = await anew.describe();
  const earliest = new Date(Math.max(+servedUntil, +info.createdAt - policies.catchupWindow));
  const due = await dueTimes(from, scheduleId, earliest, info.createdAt);
  // Each server draws its own jitter. A schedule is due at most once a minute, so once within these seconds.
  const jitterMs = spec.jitter ?? 0;
  const around = (time: Date) => ({ start: new Date(+time - jitterMs - 1_000), end: new Date(+time + jitterMs) });
  if (due.length > 0) await anew.backfill(due.map(around));
  return due;
}
