import type { ScheduleDescription } from '@temporalio/client';
import { type ClockChange, clockChanges } from './clock-changes.ts';
import type { BatchClient } from './connect.ts';
import { unevenSteps } from './cron.ts';
import { dueTimes } from './describe-schedule.ts';

/** What a schedule will do, as the server that keeps it tells. */
export type ScheduleForecast = {
  /** The next times it is due, nearest first. */
  next: Date[];
  timeZone: string;
  /** What the changes of its zone's clocks within a year do to it, where that is not what one expects. */
  clockChanges: ClockChange[];
  /** Steps of its cron expression that do not divide the hour, day or month that they step through, in words. */
  uneven: string[];
};

const YEAR_MS = 366 * 86_400_000;

/** @param cron of its times, where these are new */
export async function scheduleForecast(
  client: BatchClient,
  { scheduleId, spec, info }: ScheduleDescription,
  timeZone: string,
  cron = '',
): Promise<ScheduleForecast> {
  const from = new Date();
  const changes = await clockChanges({
    ...{ calendars: spec.calendars ?? [], timeZone, jitterMs: spec.jitter ?? 0 },
    due: (start, end) => dueTimes(client, scheduleId, start, end),
    ...{ from, to: new Date(+from + YEAR_MS) },
  });
  return { next: info.nextActionTimes, timeZone, clockChanges: changes, uneven: unevenSteps(cron) };
}
