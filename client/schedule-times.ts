import { UserError } from '../domain/user-error.ts';
import { checkedCron, DAYS } from './cron.ts';

export const WEEKDAYS = DAYS;

export type Weekday = (typeof WEEKDAYS)[number];

/** A cron expression of five fields or a macro such as `@daily`; or a time of day, `22:30`, on some days of the week. */
export type ScheduleTimes = { cron: string } | { at: string; days: Weekday[] };

/** New times, or a part of them: a time of day alone keeps the days, days alone keep the time of day. */
export type TimesChange = ScheduleTimes | { at: string } | { days: Weekday[] };

/** Times as the server accepts them, and as people see them. */
export type CheckedTimes = { cron: string; text: string };

/** @throws UserError for times that do not exist or are ambiguous */
export function checkedTimes(when: ScheduleTimes): CheckedTimes {
  if ('cron' in when) {
    const cron = checkedCron(when.cron);
    return { cron, text: `cron ${cron}` };
  }
  const { at, days } = when;
  const time = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(at);
  if (time === null) throw new UserError(`at: expected a time of day such as 22:30, found ${JSON.stringify(at)}`);
  const isDaily = days.length === 0 || WEEKDAYS.every((day) => days.includes(day));
  const onDays = isDaily ? '*' : days.map((day) => WEEKDAYS.indexOf(day)).join(',');
  return {
    cron: `${Number(time[2])} ${Number(time[1])} * * ${onDays}`,
    text: `${isDaily ? EVERY_DAY : days.join(', ')} at ${at}`,
  };
}

const EVERY_DAY = 'every day';

/**
 * @param before the present times as text, since the server stores a time of day and a cron expression in the same form
 * @throws UserError if the change is only a part of the times, and those are a cron expression
 */
export function changedTimes(before: string, change: TimesChange): ScheduleTimes {
  if ('cron' in change || ('at' in change && 'days' in change)) return change;
  const present = atOnDays(before);
  if (present !== null) return { ...present, ...change };
  const [has, lacks] = 'at' in change ? ['--at', '--days'] : ['--days', '--at'];
  throw new UserError(`${has}: expected ${lacks} as well, found none to keep: the schedule's times are "${before}"`);
}

function atOnDays(text: string): { at: string; days: Weekday[] } | null {
  const [, names = '', at = ''] = /^([a-z, ]+) at (\d{1,2}:\d{2})$/.exec(text) ?? [];
  if (names === EVERY_DAY) return { at, days: [] };
  const days = names.split(', ').flatMap((name) => WEEKDAYS.find((day) => day === name) ?? []);
  return days.length === 0 ? null : { at, days };
}

/** The server stores only the parsed form of a cron expression and its comment, so the readable text goes into the comment. */
export const withComment = ({ cron, text }: CheckedTimes): string => `${cron} # ${text}`;
