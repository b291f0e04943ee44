import { UserError } from './user-error.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const formats = new Map<string, Intl.DateTimeFormat>();

function offsetFormat(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
  formats.set(zone, format);
  return format;
}

/**
 * A time zone of the IANA database in its canonical spelling, the only one that Temporal accepts.
 *
 * @throws UserError if this machine knows no such time zone
 */
export function knownTimeZone(name: string): string {
  let spelling: string;
  try {
    spelling = offsetFormat(name).resolvedOptions().timeZone;
  } catch {
    const meant = Intl.supportedValuesOf('timeZone').find(
      (zone) => zone.split('/').at(-1)?.toLowerCase() === name.trim().replaceAll(' ', '_').toLowerCase(),
    );
    throw new UserError(
      `time zone: expected a name such as Europe/Berlin or UTC, found ${JSON.stringify(name)}` +
        (meant === undefined ? '' : `. Did you mean ${meant}?`),
    );
  }
  return spelling.toLowerCase() === name.toLowerCase() ? spelling : name;
}

/** The UTC offset of a time zone at a time, in milliseconds. */
function offsetAt(zone: string, time: Date): number {
  const { value } = offsetFormat(zone)
    .formatToParts(time)
    .find(({ type }) => type === 'timeZoneName')!;
  const [, sign, hours, minutes] = /^GMT(?:([+-])(\d\d):(\d\d))?/.exec(value)!;
  const size = Number(hours ?? 0) * HOUR_MS + Number(minutes ?? 0) * MINUTE_MS;
  return sign === '-' ? -size : size;
}

export type OffsetChange = { at: Date; before: number; after: number };

/** The clock changes of a time zone between two times. */
export function offsetChanges(zone: string, from: Date, to: Date): OffsetChange[] {
  const changes: OffsetChange[] = [];
  const stepMs = 12 * HOUR_MS;
  for (let start = +from; start < +to; start += stepMs) {
    const [before, after] = [start, start + stepMs].map((ms) => offsetAt(zone, new Date(ms)));
    if (before !== after)
      changes.push({ at: firstWith(zone, after!, start, start + stepMs), before: before!, after: after! });
  }
  return changes;
}

/** Finds the exact minute of a change. */
function firstWith(zone: string, offset: number, from: number, to: number): Date {
  let [before, since] = [Math.floor(from / MINUTE_MS), Math.ceil(to / MINUTE_MS)];
  while (since - before > 1) {
    const middle = Math.floor((before + since) / 2);
    if (offsetAt(zone, new Date(middle * MINUTE_MS)) === offset) since = middle;
    else before = middle;
  }
  return new Date(since * MINUTE_MS);
}

/** `+01:00` */
export const offsetText = (offsetMs: number): string =>
  `${offsetMs < 0 ? '-' : '+'}${new Date(Math.abs(offsetMs)).toISOString().slice(11, 16)}`;

/** `2026-12-01 22:00 +01:00`: local time in a zone, with its UTC offset. */
export function zonedText(time: Date, zone: string): string {
  const offset = offsetAt(zone, time);
  return `${new Date(+time + offset).toISOString().slice(0, 16).replace('T', ' ')} ${offsetText(offset)}`;
}
