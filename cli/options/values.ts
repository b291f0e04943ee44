import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { amountOf } from '../../domain/amounts.ts';

/** Parsers for option values. Their errors do not name the option: commander does. */

export const wholeNumber =
  (least: number, most: number, or = '') =>
  (text: string): number => {
    const number = Number(text);
    if (/^-?\d+$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`Expected ${or}a whole number from ${least} to ${most}.`);
  };

/** An amount of money, in any currency. */
export function amount(text: string): number {
  const found = amountOf(text);
  if (found !== null) return found;
  throw new InvalidArgumentError('Expected an amount such as 2.5.');
}

/** Otherwise an empty variable in a script would mean the current folder. */
export const notEmpty =
  (expected: string) =>
  (text: string): string => {
    if (text.trim() !== '') return text;
    throw new InvalidArgumentError(`Expected ${expected}, found nothing.`);
  };

const UNITS_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses `30m` into milliseconds. */
export function span(text: string): number {
  const found = /^(\d{1,6})([smhd])$/.exec(text);
  if (found === null) throw new InvalidArgumentError('Expected a time such as 30m, 12h or 2d.');
  return Number(found[1]) * UNITS_MS[found[2]!]!;
}

/** The inverse of `span`, in the largest unit that gives a whole number. */
export function spanText(ms: number): string {
  const [unit, size] = Object.entries(UNITS_MS).findLast(([, size]) => ms % size === 0) ?? ['s', 1_000];
  return `${ms / size}${unit}`;
}

/** The zone is required: a schedule often has another one than the machine. */
export function instant(text: string): Date {
  const time = new Date(text);
  const day = /^(\d{4}-\d\d-\d\d)T.*(?:Z|[+-]\d\d:\d\d)$/.exec(text)?.[1];
  if (day !== undefined && isDay(day) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError(
    'Expected a time with its zone, such as 2026-01-30T00:00:00Z or 2026-01-30T00:00:00+01:00.',
  );
}

/** A day of the calendar, such as `2026-01-30`. */
export function calendarDay(text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text) && isDay(text)) return text;
  throw new InvalidArgumentError('Expected a day such as 2026-01-30.');
}

/** JavaScript parses 30 February as 2 March. */
function isDay(day: string): boolean {
  const date = new Date(day);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

/** An IP address and a port; host names are not resolved. */
export function listenAddress(text: string): string {
  const [, host, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text)?.filter((part) => part !== undefined) ?? [];
  if (host !== undefined && isIP(host) !== 0 && Number(port) <= 65_535) return text;
  throw new InvalidArgumentError('Expected an IP address and a port, such as 127.0.0.1:9464.');
}

/** Parses a comma-separated list, without duplicates. */
export const severalOf =
  <Value>(value: (text: string) => Value) =>
  (text: string): Value[] => [...new Set(text.split(',').map((part) => value(part.trim())))];

/** `2x` or `2`. */
export function density(text: string): number {
  const found = /^([1-8])x?$/.exec(text);
  if (found !== null) return Number(found[1]);
  throw new InvalidArgumentError('Expected densities from 1x to 8x, such as 1x,2x,3x.');
}

/** Name of a Temporal worker deployment; on Kubernetes it is prefixed with a namespace. */
export function deploymentName(text: string): string {
  if (/^[A-Za-z0-9](?:[A-Za-z0-9_/-]{0,125}[A-Za-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('Expected letters, digits, -, _ and /, at most 127 characters, such as studio.');
}

/** Build ID of one of its versions; the length limit is that of Kubernetes labels. */
export function buildId(text: string): string {
  if (/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('Expected letters, digits, ., - and _, at most 63 characters, such as 0.2.0-7f3a.');
}
