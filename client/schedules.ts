import {
  type ScheduleDescription,
  type ScheduleHandle,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { UserError } from '../domain/user-error.ts';
import type { BatchClient } from './connect.ts';

/** What happens where a batch still runs when the next is due, in Temporal's terms. */
export const OVERLAPS = {
  skip: ScheduleOverlapPolicy.SKIP,
  'wait-one': ScheduleOverlapPolicy.BUFFER_ONE,
  'wait-all': ScheduleOverlapPolicy.BUFFER_ALL,
  'cancel-running': ScheduleOverlapPolicy.CANCEL_OTHER,
  'run-both': ScheduleOverlapPolicy.ALLOW_ALL,
} as const;

export type Overlap = keyof typeof OVERLAPS;

export type ScheduleMemo = { catalog: string; store: string; when: string; timeZone: string; overlap: Overlap };

export type ScheduleListing = ScheduleMemo & {
  name: string;
  paused: boolean;
  /** The next times it is due, nearest first. */
  next: Date[];
};

const PREFIX = 'schedule/';
export const scheduleId = (name: string): string => `${PREFIX}${name}`;
/** One that somebody made by other means is called by its id. */
export const scheduleName = (id: string): string => (id.startsWith(PREFIX) ? id.slice(PREFIX.length) : id);

/** All that is known of one schedule. */
export type ScheduleDetails = ScheduleMemo & {
  name: string;
  paused: boolean;
  /** What was said when it was paused or resumed, or why it paused itself. */
  note: string | null;
  pauseOnFailure: boolean;
  catchUpMs: number;
  jitterMs: number;
  next: Date[];
  /** When its last batches were due, newest first. */
  recent: Date[];
  /** Times that were left out because a batch still ran, and times that came too late to be made up for. */
  skipped: { overlap: number; missed: number };
  running: number;
};

/** All schedules of batches, as Temporal's listing has them; a new one comes into it within seconds. */
export async function* listSchedules(client: BatchClient): AsyncGenerator<ScheduleListing> {
  for await (const { scheduleId: id, memo, state, info } of client.temporal.schedule.list()) {
    if (!id.startsWith(PREFIX)) continue;
    yield {
      ...(memo as ScheduleMemo),
      name: scheduleName(id),
      paused: state.paused,
      next: info.nextActionTimes,
    };
  }
}

/** @throws UserError where there is no such schedule */
export function describeSchedule(client: BatchClient, name: string): Promise<ScheduleDetails> {
  return aboutSchedule(client, name, async (handle) => details(name, await handle.describe()));
}

function details(name: string, { memo, state, policies, spec, info }: ScheduleDescription): ScheduleDetails {
  return {
    ...(memo as ScheduleMemo),
    name,
    paused: state.paused,
    note: state.note ?? null,
    pauseOnFailure: policies.pauseOnFailure,
    catchUpMs: policies.catchupWindow,
    jitterMs: spec.jitter ?? 0,
    next: info.nextActionTimes,
    recent: info.recentActions.map(({ scheduledAt }) => scheduledAt).reverse(),
    skipped: { overlap: info.numActionsSkippedOverlap, missed: info.numActionsMissedCatchupWindow },
    running: info.runningActions.length,
  };
}

/** Starts no more batches until it is resumed; those that run go on. @throws UserError where there is no such schedule */
export const pauseSchedule = (client: BatchClient, name: string): Promise<void> =>
  aboutSchedule(client, name, (handle) => handle.pause('a person paused it'));

/** @throws UserError where there is no such schedule */
export const resumeSchedule = (client: BatchClient, name: string): Promise<void> =>
  aboutSchedule(client, name, (handle) => handle.unpause('a person resumed it'));

/** Starts a batch of the schedule now, as its overlap policy allows. @throws UserError where there is no such schedule */
export const triggerSchedule = (client: BatchClient, name: string): Promise<void> =>
  aboutSchedule(client, name, (handle) => handle.trigger());

/**
 * Starts the batches that were due in a time that has passed, one after the other, each under the id of the time it was due.
 *
 * @throws UserError where there is no such schedule, or the time ends before it begins or has not passed
 */
export async function backfillSchedule(client: BatchClient, name: string, from: Date, to: Date): Promise<void> {
  if (from >= to)
    throw new UserError(`backfill: expected a time that ends after ${from.toISOString()}, found ${to.toISOString()}`);
  if (to.getTime() > Date.now()) throw new UserError(`backfill: ${to.toISOString()} has not passed yet`);
  return aboutSchedule(client, name, (handle) =>
    handle.backfill({ start: from, end: to, overlap: ScheduleOverlapPolicy.BUFFER_ALL }),
  );
}

/** Batches that it has started go on. @throws UserError where there is no such schedule */
export const deleteSchedule = (client: BatchClient, name: string): Promise<void> =>
  aboutSchedule(client, name, (handle) => handle.delete());

async function aboutSchedule<T>(
  client: BatchClient,
  name: string,
  call: (handle: ScheduleHandle) => Promise<T>,
): Promise<T> {
  try {
    return await call(client.temporal.schedule.getHandle(scheduleId(name)));
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw new UserError(`schedule ${name}: expected one of that name, found none. List the ones that there are.`);
  }
}
