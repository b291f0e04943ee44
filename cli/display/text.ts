/** `1 job`, `2 jobs` */
export const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? '' : 's'}`;

export const bytesText = (bytes: number): string => {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toLocaleString('en', { maximumFractionDigits: power === 0 ? 0 : 1 })} ${units[power]}`;
};

/** An estimated duration: `45 s`, `12 min`, `3 h 05 min` */
export function timeLeftText(seconds: number): string {
  if (seconds < 59.5) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** The viewer's time zone, from `TZ` or the machine. */
export const viewerZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** `2026-01-31 10:30:00`, in the viewer's zone; output for programs is in UTC. */
export const timeText = (time: Date): string => `${dayText(time)} ${timeOfDay(time)}`;

/** `started (Europe/Berlin)`: the heading for such times. */
export const zoneHeading = (what: string): string => `${what} (${viewerZone()})`;

/** `03:12` in the viewer's zone, with the day unless it is today, and with `UTC` if that is the zone, as on most servers. */
export function clockText(now: Date, secondsLater: number): string {
  const end = new Date(now.getTime() + secondsLater * 1_000);
  const day = dayText(end) === dayText(now) ? '' : `${dayText(end)} `;
  return `${day}${timeOfDay(end).slice(0, 5)}${viewerZone() === 'UTC' ? ' UTC' : ''}`;
}

const two = (number: number): string => String(number).padStart(2, '0');

const dayText = (time: Date): string => `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;

const timeOfDay = (time: Date): string => [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');

/** `2026-01-31 09:30:00` in UTC, like the records of a fleet and the days of limits. */
export const utcText = (time: Date): string => time.toISOString().slice(0, 19).replace('T', ' ');
