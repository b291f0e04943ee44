import type { CalendarSpecDescription } from '@temporalio/client';
import { type OffsetChange, offsetChanges, offsetText } from '../domain/time-zone.ts';
import { DAYS, MONTHS } from './cron.ts';

/** How a schedule departs from its times when the clocks in its time zone change. */
export type ClockChange = {
  /** The time on the clock just before and just after the change: `2027-03-28 02:00 +01:00`. */
  from: string;
  to: string;
  batches: {
    /** The scheduled time: `2027-03-28 02:30`. */
    time: string;
    happens: 'left out' | 'twice' | 'at its second' | 'unasked for';
  }[];
};

/** A schedule's times, in its time zone and as the server computes them, and the period to check. */
type Clockwork = {
  calendars: readonly CalendarSpecDescription[];
  timeZone: string;
  jitterMs: number;
  /** When the server starts batches between two times, including the jitter. */
  due: (from: Date, to: Date) => Promise<Date[]>;
  from: Date;
  to: Date;
};

const DAY_MS = 86_400_000;

/** If a schedule is due at least hourly, a missed time does not matter. */
const OFTEN = 24;

/**
 * How upcoming clock changes affect a schedule, according to the server itself: it skips times that clocks do not show, and
 * has other quirks (servers 1.29 and 1.32, tests/release/schedules.test.ts).
 */
export async function clockChanges({
  calendars,
  timeZone,
  jitterMs,
  due,
  from,
  to,
}: Clockwork): Promise<ClockChange[]> {
  const found: ClockChange[] = [];
  for (const change of offsetChanges(timeZone, from, to)) {
    const days = daysAround(change);
    const times = days.flatMap((day) => timesOn(calendars, day)).sort((a, b) => a - b);
    if (times.length === 0 || times.length >= OFTEN * days.length) continue;
    const [start, end] = [days[0]! - change.before, days.at(-1)! + DAY_MS - change.after];
    const actual = await due(new Date(start - 1), new Date(end + jitterMs));
    const isWithin = (time: number) => time >= start && time < end;
    const batches = surprises(times, change, actual.map(Number), jitterMs, isWithin);
    if (batches.length > 0) found.push({ ...momentOf(change), batches });
  }
  return found;
}

const momentOf = ({ at, before, after }: OffsetChange) => ({
  from: `${wallText(+at + before)} ${offsetText(before)}`,
  to: `${wallText(+at + after)} ${offsetText(after)}`,
});

/** `2027-03-28 02:30`, from a wall-clock time that is stored as if it were UTC. */
const wallText = (wall: number): string => new Date(wall).toISOString().slice(0, 16).replace('T', ' ');

/** The local days that a change touches: two if it is at midnight. */
function daysAround({ at, before, after }: OffsetChange): number[] {
  const days = [+at + before - 1, +at + after].map((wall) => Math.floor(wall / DAY_MS) * DAY_MS);
  return [...new Set(days)].sort((a, b) => a - b);
}

/** Wall-clock times of the schedule on a local day. */
function timesOn(calendars: readonly CalendarSpecDescription[], day: number): number[] {
  const date = new Date(day);
  const isDue = ({ month, dayOfMonth, dayOfWeek }: CalendarSpecDescription): boolean =>
    named(month, MONTHS).includes(date.getUTCMonth()) &&
    numbers(dayOfMonth).includes(date.getUTCDate()) &&
    named(dayOfWeek, DAYS).includes(date.getUTCDay());
  const times = calendars
    .filter(isDue)
    .flatMap(({ hour, minute }) => numbers(hour).flatMap((h) => numbers(minute).map((m) => (h * 60 + m) * 60_000)));
  return [...new Set(times)].map((time) => day + time);
}

type Range<T> = { start: T; end: T; step: number };

const numbers = (ranges: readonly Range<number>[]): number[] =>
  ranges.flatMap(({ start, end, step }) =>
    Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, count) => start + count * step),
  );

const named = (ranges: readonly Range<string>[], names: readonly string[]): number[] => {
  const at = (name: string) => names.indexOf(name.toLowerCase());
  return numbers(ranges.map(({ start, end, step }) => ({ start: at(start), end: at(end), step })));
};

/**
 * Compares the scheduled wall-clock times with those at which the server starts a batch, which may be later by the jitter.
 *
 * @param times wall-clock times in ascending order
 */
function surprises(
  times: readonly number[],
  { at, before, after }: OffsetChange,
  actual: readonly number[],
  jitterMs: number,
  isWithin: (time: number) => boolean,
): ClockChange['batches'] {
  const left = new Set(actual);
  const take = (instant: number): boolean => {
    const started = [...left].find((time) => time >= instant && time <= instant + jitterMs);
    return started !== undefined && left.delete(started);
  };
  const batches = times.flatMap((wall): ClockChange['batches'] => {
    const instants = [wall - before, wall - after];
    const [first, second] = [instants[0]! < +at && take(instants[0]!), instants[1]! >= +at && take(instants[1]!)];
    const isShownTwice = instants[0]! < +at && instants[1]! >= +at;
    if (first && second) return [{ time: wallText(wall), happens: 'twice' }];
    if (first || (second && !isShownTwice)) return [];
    return [{ time: wallText(wall), happens: second ? 'at its second' : 'left out' }];
  });
  const unasked = [...left].filter(isWithin);
  const shown = (time: number) => wallText(time + (time < +at ? before : after));
  return [...batches, ...unasked.map((time) => ({ time: shown(time), happens: 'unasked for' as const }))];
}
