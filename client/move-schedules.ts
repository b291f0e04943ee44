import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { BatchClient } from './connect.ts';
import { dueTimes } from './describe-schedule.ts';
import { makeRawSchedule, readRawSchedule } from './saved-schedules.ts';
import { scheduleName } from './schedules.ts';

export type MovedSchedule = {
  name: string;
  paused: boolean;
  /** Times that came due while neither server served: the new one makes up for them. */
  due: Date[];
};

/**
 * A server fills its lists from a queue, and goes on with that after a restart. With server 1.29.1 they were complete when a restarted
 * server first answered (11 restarts, 7 of them after kill -9, up to 20 schedules made the moment before), but nothing promises
 * it. Two lists so far apart that agree leave time for a machine that is busy with other things.
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

/** What still runs on a server. */
export type Unfinished = {
  /** Ids of batches. */
  batches: string[];
  /** What ended batches have left to do, in words: a night's work does not depend on it. */
  afterwards: string[];
};

/** By the type of workflow; others than ours may run on the server. */
const AFTERWARDS: ReadonlyMap<string, string> = new Map([
  ['deliverWebhook', 'a message to the webhook'],
  ['makeSheetPage', 'the review page'],
]);

/** What was started before `time` and has not ended. */
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
  // A scheduled run waits for the batch that it has started, which is named already.
  return { batches: [...(batches.size > 0 ? batches : scheduled)], afterwards: [...afterwards] };
}

/**
 * Makes every schedule of one server anew on another one without schedules: when it is due, what it starts, its policies, whether it is
 * paused and the note about that. What it has done so far stays behind.
 *
 * @param servedUntil when the old server last did its work: the new one makes up for what came due since then
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

/** @returns whether it is paused, which a list may not tell yet */
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
  // Both servers have a jitter of their own. What is due once in a minute at most is due once in these seconds.
  const jitterMs = spec.jitter ?? 0;
  const around = (time: Date) => ({ start: new Date(+time - jitterMs - 1_000), end: new Date(+time + jitterMs) });
  if (due.length > 0) await anew.backfill(due.map(around));
  return due;
}
