import { UserError } from '../domain/user-error.ts';

type Field = { name: string; from: number; to: number; words: readonly string[] };

export const MONTHS = 'january february march april may june july august september october november december'.split(
  ' ',
);
export const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

const FIELDS: readonly Field[] = [
  { name: 'minute', from: 0, to: 59, words: [] },
  { name: 'hour', from: 0, to: 23, words: [] },
  { name: 'day of the month', from: 1, to: 31, words: [] },
  { name: 'month', from: 1, to: 12, words: MONTHS },
  { name: 'day of the week', from: 0, to: 7, words: DAYS },
];

const MACROS = ['@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually'];

const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Checks a cron expression, and accepts only what means the same to Temporal and to cron: five fields, or a macro.
 * Temporal itself also accepts six fields (the last is the year) and seven, ignores everything after a `#`, counts `@every`
 * from 1970 in UTC, and starts only on days that match both day fields, while cron starts on days that match either one
 * (servers 1.29 and 1.32).
 *
 * @throws UserError that says what is wrong, and how to write what was probably meant
 */
export function checkedCron(text: string): string {
  const cron = text.trim();
  const refuse = (found: string): never => {
    throw new UserError(`cron ${JSON.stringify(text)}: ${found}`);
  };
  if (cron.startsWith('@')) return MACROS.includes(cron.toLowerCase()) ? cron.toLowerCase() : refuse(aboutMacro(cron));
  const zone = /^(?:CRON_)?TZ=(\S*)\s*(.*)$/.exec(cron);
  if (zone !== null) refuse(`expected the time zone separately: --cron "${zone[2]}" --time-zone ${zone[1]}`);
  if (cron.includes('#')) refuse(aboutHash(cron));
  const fields = cron.split(/\s+/);
  if (fields.length !== FIELDS.length) refuse(aboutCount(cron === '' ? [] : fields));
  const [, , days, months, weekdays] = FIELDS.map((field, at) => valuesOf(field, fields[at]!, refuse));
  if (isSome(FIELDS[2]!, days!) && isSome(FIELDS[4]!, weekdays!)) {
    refuse(
      'found both a day of the month and a day of the week. Cron starts on days that match either, Temporal only on days ' +
        'that match both: give one of them and * for the other, or make two schedules',
    );
  }
  if (!months!.some((month) => days!.some((day) => day <= DAYS_IN_MONTH[month - 1]!))) {
    refuse('is never due: no such month has that day');
  }
  return fields.join(' ');
}

/** Describes steps that do not divide their range, so that the last one is shorter. */
export function unevenSteps(cron: string): string[] {
  const whole = [60, 24, null, 12, 7];
  return cron.split(/\s+/).flatMap((text, at) => {
    const step = /^\*\/(\d+)$/.exec(text)?.[1];
    if (step === undefined || step === '1' || (whole[at] != null && whole[at] % Number(step) === 0)) return [];
    return [`${text} restarts every ${['hour', 'day', 'month', 'year', 'week'][at]}: the last step is shorter`];
  });
}

function aboutMacro(cron: string): string {
  const others = `expected five fields or one of ${MACROS.join(', ')}`;
  if (/^@every\b/i.test(cron)) {
    return `${others}. @every counts from 1970 in UTC, whatever the time zone: write the hours, such as "0 */6 * * *", or --at 22:00`;
  }
  if (/^@reboot$/i.test(cron)) return `${others}. A schedule has no machine that could reboot`;
  return others;
}

function aboutHash(cron: string): string {
  const rest = cron.replace(/\s*#.*$/, '');
  if (/\S#\d/.test(cron)) {
    return (
      `Temporal reads # and what follows as a comment, and would start as for "${rest}", every week. Five fields cannot say which ` +
      'week of a month: give days of the month'
    );
  }
  return `expected no comment: write "${rest}"`;
}

function aboutCount(fields: string[]): string {
  const expected = 'expected five fields (minute, hour, day of the month, month, day of the week)';
  const found = `${expected}, found ${fields.length}`;
  const isYear = (text = '') => /^\d{4}/.test(text);
  if (fields.length === 7) return `${found}, as with seconds and a year: write "${fields.slice(1, 6).join(' ')}"`;
  if (/^\d?\d:\d\d$/.test(fields[0] ?? '')) return `${found}. A time of day is given with --at ${fields[0]}`;
  if (fields.length !== 6) return found;
  return isYear(fields[5])
    ? `${found}. There is no field for years: write "${fields.slice(0, 5).join(' ')}", and delete the schedule when it is over`
    : `${found}, as with seconds: write "${fields.slice(1).join(' ')}"`;
}

/** The values that a field matches, in the order written. */
function valuesOf(field: Field, text: string, refuse: (found: string) => never): number[] {
  const trouble = (what: string): never => refuse(`${field.name}: ${what}`);
  if (text === '?') trouble('found ?; write *');
  if (/^L|\dL$/i.test(text)) trouble(`found ${text}. Five fields cannot say "the last": write a number, such as 28`);
  if (/\dW$/i.test(text)) trouble(`found ${text}. Five fields cannot say "the nearest weekday": write a number`);
  if (/^H(\W|$)/i.test(text))
    trouble(`found ${text}; write a number. --jitter 10m spreads what starts at the same time`);
  return text.split(',').flatMap((part) => {
    const [, first = '', last, stepText] =
      /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ??
      trouble(`expected *, a number, a range such as 1-5 or a step such as */2; found ${part}`);
    if (first === '*' && last !== undefined) trouble(`found ${part}`);
    const from = first === '*' ? field.from : numberOf(field, first, trouble);
    const to = last !== undefined ? numberOf(field, last, trouble) : first === '*' || stepText ? field.to : from;
    if (to < from)
      trouble(`expected a range that ends after it begins, found ${part}: write ${aroundTheEnd(field, from, to)}`);
    const step = Number(stepText ?? 1);
    if (step < 1 || step > field.to - field.from) {
      trouble(`expected a step from 1 to ${field.to - field.from}, found ${part}: steps do not wrap around`);
    }
    return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, count) => from + count * step);
  });
}

function numberOf(field: Field, text: string, trouble: (what: string) => never): number {
  const word = text.length < 3 ? -1 : field.words.findIndex((known) => known.startsWith(text.toLowerCase()));
  const value = word >= 0 ? word + field.from : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= field.from && value <= field.to) return value;
  const words = field.words.length === 0 ? '' : `, or ${field.words.map((known) => known.slice(0, 3)).join(', ')}`;
  return trouble(`expected ${field.from} to ${field.to}${words}; found ${text}`);
}

/** How to write a range that wraps around. Sunday is 7 as well as 0. */
function aroundTheEnd(field: Field, from: number, to: number): string {
  if (field.words !== DAYS) return `${from}-${field.to},${field.from}-${to}`;
  if (to === 0) return `${from}-7`;
  return from === 7 ? `0-${to}` : `${from}-6,0-${to}`;
}

/** Whether a field excludes any value. */
const isSome = ({ name, from, to }: Field, values: readonly number[]): boolean =>
  new Set(values.map((value) => (name === 'day of the week' ? value % 7 : value))).size <
  (name === 'day of the week' ? 7 : to - from + 1);
