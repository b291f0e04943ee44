import { randomUUID } from 'node:crypto';
import { msToTs, tsToDate } from '@temporalio/common/lib/time.js';
import type { BatchClient } from './connect.ts';
import { scheduleName } from './schedules.ts';

export type MovedSchedule = {
  name: string;
  paused: boolean;
  /** Times that came due while neither server served: the new one makes up for them. */
  due: Date[];
};

/** What was started before `time` and has not ended, by name: batches, their pages and what they tell webhooks. */
export async function unfinishedBefore({ temporal }: BatchClient, time: Date): Promise<string[]> {
  const names = new Set<string>();
  const query = `ExecutionStatus = 'Running' AND StartTime < '${time.toISOString()}'`;
  for await (const { workflowId } of temporal.workflow.list({ query }))
    names.add(workflowId.split('/')[1] ?? workflowId);
  return [...names];
}

/**
 * Makes every schedule of one server anew on another one without schedules: when it is due, what it starts, its policies, whether it is
 * paused and the note about that. What it has done so far stays behind.
 *
 * @param servedUntil when the old server last did its work: what came due since then is made up for on the new one
 */
export async function moveSchedules(from: BatchClient, to: BatchClient, servedUntil: Date): Promise<MovedSchedule[]> {
  const moved: MovedSchedule[] = [];
  for await (const { scheduleId, state } of from.temporal.schedule.list()) {
    await makeAnew(from, to, scheduleId);
    const due = state.paused ? [] : await makeUp(from, to, scheduleId, servedUntil);
    moved.push({ name: scheduleName(scheduleId), paused: state.paused, due });
  }
  return moved;
}

/** As the server keeps it: what the SDK makes of a description is not all that a schedule is made of. */
async function makeAnew(from: BatchClient, to: BatchClient, scheduleId: string): Promise<void> {
  const { namespace } = from;
  const { schedule = null, memo = null } = await from.temporal.workflowService.describeSchedule({
    namespace,
    scheduleId,
  });
  const requestId = randomUUID();
  await to.temporal.workflowService.createSchedule({ namespace: to.namespace, scheduleId, schedule, memo, requestId });
}

async function makeUp(from: BatchClient, to: BatchClient, scheduleId: string, servedUntil: Date): Promise<Date[]> {
  const anew = to.temporal.schedule.getHandle(scheduleId);
  const { info, spec, policies } = await anew.describe();
  const earliest = new Date(Math.max(+servedUntil, +info.createdAt - policies.catchupWindow));
  const due = await dueTimes(from, scheduleId, earliest, info.createdAt);
  // Both servers have a jitter of their own. What is due once in a minute at most is due once in these seconds.
  const jitterMs = spec.jitter ?? 0;
  const around = (time: Date) => ({ start: new Date(+time - jitterMs - 1_000), end: new Date(+time + jitterMs) });
  if (due.length > 0) await anew.backfill(due.map(around));
  return due;
}

async function dueTimes(
  { temporal, namespace }: BatchClient,
  scheduleId: string,
  from: Date,
  to: Date,
): Promise<Date[]> {
  const [startTime, endTime] = [msToTs(+from), msToTs(+to)];
  const matching = await temporal.workflowService.listScheduleMatchingTimes({
    namespace,
    scheduleId,
    startTime,
    endTime,
  });
  return (matching.startTime ?? []).map((time) => tsToDate(time));
}
