import { ScheduleNotFoundError } from '@temporalio/client';
import type { BatchClient } from './connect.ts';
import { runsOf, type ScheduleRun } from './describe-schedule.ts';
import { endedSchedules, scheduleFault } from './schedule-fault.ts';
import { isOurs, memoOf, type ScheduleMemo, scheduleName, toldOf } from './schedules.ts';
import { serverTrouble } from './server-trouble.ts';
import { readableOf } from './unreadable.ts';

export type ScheduleListing = ScheduleMemo & {
  name: string;
  paused: boolean;
  /** Why the server cannot run it, so it starts nothing; `null` if it can. */
  fault: string | null;
  /** The next times it is due, nearest first. */
  next: Date[];
  /** The last batch that it started; absent if there is none, or the server cannot run the schedule. */
  last?: ScheduleRun;
  /** The key that this client lacks to read the rest; absent if it can. */
  keyMissing?: string;
};

/**
 * All schedules of batches, as Temporal lists them; a new one appears within seconds. Includes schedules that the server can
 * no longer run, unless they were created again.
 *
 * @throws ServerUnreachable
 */
export async function* listSchedules(client: BatchClient): AsyncGenerator<ScheduleListing> {
  try {
    yield* listed(client);
  } catch (error) {
    throw serverTrouble(client, error) ?? error;
  }
}

async function* listed(client: BatchClient): AsyncGenerator<ScheduleListing> {
  const seen = new Set<string>();
  for await (const { scheduleId: id, memo, state, info } of client.listings.schedule.list()) {
    if (!isOurs(id)) continue;
    seen.add(id);
    const fault = await scheduleFault(client, id);
    const now = fault === null ? await asItIs(client, id) : null;
    yield { ...told(memo), ...now, name: scheduleName(id), paused: state.paused, fault, next: info.nextActionTimes };
  }
  for await (const { scheduleId: id, memo, fault } of endedSchedules(client)) {
    if (!isOurs(id) || seen.has(id)) continue;
    const { ScheduleInfo: _, ...own } = memo ?? {};
    yield { ...told(own), name: scheduleName(id), paused: false, fault, next: [] };
  }
}

/** The server's list lacks the action, and the memo may be out of date; `null` for a schedule that is being deleted. */
async function asItIs(client: BatchClient, id: string): Promise<(ScheduleMemo & Pick<ScheduleListing, 'last'>) | null> {
  try {
    const description = await client.listings.schedule.getHandle(id).describe();
    const [last] = await runsOf(client, id, description.info.recentActions.slice(-1));
    return { ...toldOf(description), ...(last !== undefined && { last }) };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

function told(memo: Record<string, unknown> | undefined): ScheduleMemo & Pick<ScheduleListing, 'keyMissing'> {
  const { keyMissing } = readableOf(memo);
  return { ...memoOf(memo), ...(keyMissing !== null && { keyMissing }) };
}
