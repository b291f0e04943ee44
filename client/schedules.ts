import { type CalendarSpec, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Duration } from '@temporalio/common';
import { UserError } from '../domain/user-error.ts';
import { checkBatchId } from '../records/layout.ts';
import type { ScheduledBatchInput } from '../workflows/contract/batch.ts';
import { fileName } from '../workflows/contract/batch-start.ts';
import { ORCHESTRATOR_QUEUE } from '../workflows/contract/queues.ts';
import type { Workflows } from '../workflows/contract/workflows.ts';
import { type BatchRequest, batchInput } from './batch-request.ts';
import type { BatchClient } from './connect.ts';

export type ScheduleRequest = BatchRequest & {
  /** Begins the id of every batch that it starts. */
  name: string;
  when: ScheduleTimes;
  /** Such as `Europe/Berlin`; UTC unless given. */
  timeZone?: string | undefined;
  /** What happens where a batch still runs when the next is due; `skip` unless given. */
  overlap?: Overlap | undefined;
  /** A time that was missed, because the server was down, is made up for within so long; a year unless given. */
  catchUp?: Duration | undefined;
  /** Up to so much later, by chance: not all schedules of a night at once. */
  jitter?: Duration | undefined;
  /** Starts no more once a batch has failed as a whole. */
  pauseOnFailure?: boolean | undefined;
};

/** A cron expression of five fields or a macro such as `@daily`; or a time of day, `22:30`, on some days of the week. */
export type ScheduleTimes = { cron: string } | { at: string; days: Weekday[] };

export const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

export type Weekday = (typeof WEEKDAYS)[number];

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
export const scheduleName = (id: string): string => id.slice(PREFIX.length);

/** The longest a batch id may grow beyond a schedule's name. */
const TIME_SUFFIX = '-20260101T000000Z';

/**
 * Has a batch of a catalog started at times. The catalog is read when the batch starts.
 *
 * @throws UserError for a name that is taken, or times or a time zone that Temporal does not accept
 */
export async function createSchedule(client: BatchClient, request: ScheduleRequest): Promise<void> {
  const { name, when, timeZone = 'UTC', overlap = 'skip', catchUp, jitter, pauseOnFailure = false } = request;
  const { batch: _, round: __, ...input } = batchInput(request, `${checkBatchId(name)}${TIME_SUFFIX}`);
  const memo: ScheduleMemo = {
    catalog: input.source.url,
    store: input.store,
    when: timesText(when),
    timeZone,
    overlap,
  };
  try {
    await client.temporal.schedule.create({
      scheduleId: scheduleId(name),
      spec: {
        ...('cron' in when ? { cronExpressions: [when.cron] } : { calendars: [calendar(when)] }),
        timezone: timeZone,
        ...(jitter !== undefined && { jitter }),
      },
      policies: {
        overlap: OVERLAPS[overlap],
        pauseOnFailure,
        ...(catchUp !== undefined && { catchupWindow: catchUp }),
      },
      memo,
      action: {
        type: 'startWorkflow',
        workflowType: 'scheduledBatch' satisfies keyof Workflows,
        workflowId: scheduleId(name),
        taskQueue: ORCHESTRATOR_QUEUE,
        args: [{ ...input, schedule: name } satisfies ScheduledBatchInput],
        staticSummary: `Batches of ${fileName(input.source.url)}`,
      },
    });
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning)
      throw new UserError(`schedule ${name} exists already: delete it first`);
    // What the SDK makes of times or a time zone that the server refuses.
    if (error instanceof TypeError) {
      throw new UserError(`schedule ${name}: ${memo.when} in ${timeZone}: ${error.message}`);
    }
    throw error;
  }
}

/** As Temporal names them. */
const dayNames = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const;

/** @throws UserError for a time of day that there is not */
function calendar({ at, days }: { at: string; days: Weekday[] }): CalendarSpec {
  const time = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(at);
  if (time === null) throw new UserError(`at: expected a time of day such as 22:30, found ${JSON.stringify(at)}`);
  const dayOfWeek = days.map((day) => dayNames[WEEKDAYS.indexOf(day)]!);
  return { hour: Number(time[1]), minute: Number(time[2]), ...(days.length > 0 && { dayOfWeek }) };
}

const timesText = (when: ScheduleTimes): string =>
  'cron' in when ? `cron ${when.cron}` : `${when.days.length === 0 ? 'every day' : when.days.join(', ')} at ${when.at}`;

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
