import { type Command, InvalidArgumentError, Option } from 'commander';
import { OVERLAPS, type Overlap, type ScheduleTimes, WEEKDAYS, type Weekday } from '../../client/index.ts';
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

/** When batches start, and what happens where they cannot. */
export const addScheduleOptions = (command: Command): Command =>
  command
    .addOption(new Option('--cron <expression>', 'five fields, or a macro such as @daily').conflicts(['at', 'days']))
    .option('--at <hh:mm>', 'a time of day')
    .addOption(new Option('--days <names>', 'with --at: monday,friday …; otherwise every day').argParser(weekdays))
    .option('--time-zone <name>', 'of these times, such as Europe/Berlin; otherwise UTC')
    .addOption(
      new Option('--overlap <policy>', 'where a batch still runs when the next is due; otherwise skip').choices(
        Object.keys(OVERLAPS),
      ),
    )
    .addOption(
      new Option(
        '--catch-up <time>',
        'make up for times missed within 30m, 12h or 2d; otherwise a year. Of several missed, --overlap skip starts the oldest only',
      ).argParser(span),
    )
    .addOption(new Option('--jitter <time>', 'start up to so much later, by chance: 10m').argParser(span))
    .option('--pause-on-failure', 'start no more once a batch has failed as a whole, noticed when the next is due');

/** `undefined` where no times are given. @throws UserError for days of no time */
export function timesOf({ cron, at, days }: ScheduleOptions): ScheduleTimes | undefined {
  if (cron !== undefined) return { cron };
  if (at !== undefined) return { at, days: days ?? [] };
  if (days === undefined) return undefined;
  throw new UserError('--days: expected --at beside it, the time of day');
}

function weekdays(text: string): Weekday[] {
  return text.split(',').map((name) => {
    const day = WEEKDAYS.find((known) => known === name.trim().toLowerCase());
    if (day === undefined) throw new InvalidArgumentError(`Expected some of ${WEEKDAYS.join(', ')}.`);
    return day;
  });
}
