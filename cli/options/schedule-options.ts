import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  OVERLAPS,
  type Overlap,
  type ScheduleTimes,
  type TimesChange,
  WEEKDAYS,
  type Weekday,
} from '../../client/index.ts';
import { UserError } from '../../domain/user-error.ts';
import { span } from './values.ts';

export type ScheduleOptions = {
  cron?: string;
  at?: string;
  days?: Weekday[];
  timeZone?: string;
  overlap?: Overlap;
  catchUp?: number;
  jitter?: number;
};

/** When batches start, and what happens if they cannot. */
export const addScheduleOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--cron <expression>', 'start times as five cron fields, or a macro such as @daily').conflicts([
        'at',
        'days',
      ]),
    )
    .option('--at <hh:mm>', 'time of day to start')
    .addOption(
      new Option(
        '--days <names>',
        'days to start on at that time, such as monday,friday; default: every day',
      ).argParser(weekdays),
    )
    .option('--time-zone <name>', 'time zone of the start times, such as Europe/Berlin; default: UTC')
    .addOption(
      new Option(
        '--overlap <policy>',
        'what to do if a batch is still running when the next is due; default: skip',
      ).choices(Object.keys(OVERLAPS)),
    )
    .addOption(
      new Option(
        '--catch-up <time>',
        'catch up on start times missed within this window, such as 30m, 12h or 2d; default: a year. If several were missed, --overlap skip starts only the oldest',
      ).argParser(span),
    )
    .addOption(
      new Option('--jitter <time>', 'delay each start by a random time up to this, such as 10m').argParser(span),
    )
    .option('--pause-on-failure', 'pause once a whole batch has failed, which is checked when the next is due');

/** `undefined` if no times are given. @throws UserError for days without a time */
export function timesOf({ cron, at, days }: ScheduleOptions): ScheduleTimes | undefined {
  if (cron !== undefined) return { cron };
  if (at !== undefined) return { at, days: days ?? [] };
  if (days === undefined) return undefined;
  throw new UserError('--days: expected --at as well, the time of day; found none');
}

/** For a schedule that exists: the time of day and the days may each be changed alone. `undefined` if neither is. */
export function timesChangeOf({ cron, at, days }: ScheduleOptions): TimesChange | undefined {
  if (cron !== undefined) return { cron };
  if (at !== undefined) return days === undefined ? { at } : { at, days };
  return days === undefined ? undefined : { days };
}

function weekdays(text: string): Weekday[] {
  return text.split(',').map((name) => {
    const day = WEEKDAYS.find((known) => known === name.trim().toLowerCase());
    if (day === undefined) throw new InvalidArgumentError(`Expected one or more of ${WEEKDAYS.join(', ')}.`);
    return day;
  });
}
