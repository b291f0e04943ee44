import type { ScheduleDescription } from '@temporalio/client';
import { type ClockChange, clockChanges } from './clock-changes.ts';
import type { BatchClient } from './connect.ts';
import { unevenSteps } from './cron.ts';
import { dueTimes } from './describe-schedule.ts';

/** What a schedule will do, according to its server. */
export type ScheduleForecast = {
  /** The next times it is due, nearest first. */
  next: Date[];
  timeZone: string;
  /** Unexpected effects of clock changes within a year. */
  clockChanges: ClockChange[];
  /** Steps of its cron expression that do not divide their hour, day or month, in words. */
  uneven: string[];
};

const YEAR_MS = 366 * 86_400_000;

/** @param cron the expression, if the times are new */
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
