import { UserError } from '../domain/user-error.ts';
import { checkedCron, DAYS } from './cron.ts';

export const WEEKDAYS = DAYS;

export type Weekday = (typeof WEEKDAYS)[number];

/** A cron expression of five fields or a macro such as `@daily`; or a time of day, `22:30`, on some days of the week. */
export type ScheduleTimes = { cron: string } | { at: string; days: Weekday[] };

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
  const onDays = days.length === 0 ? '*' : days.map((day) => WEEKDAYS.indexOf(day)).join(',');
  return {
    cron: `${Number(time[2])} ${Number(time[1])} * * ${onDays}`,
    text: `${days.length === 0 ? 'every day' : days.join(', ')} at ${at}`,
  };
}

/** The server stores only the parsed form of a cron expression and its comment, so the readable text goes into the comment. */
export const withComment = ({ cron, text }: CheckedTimes): string => `${cron} # ${text}`;
