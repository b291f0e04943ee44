/** `1 job`, `2 jobs` */
export const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? '' : 's'}`;

export const bytesText = (bytes: number): string => {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toLocaleString('en', { maximumFractionDigits: power === 0 ? 0 : 1 })} ${units[power]}`;
};

/** Of what was measured: `0.84 s`, `12 min 5 s`, `3 h 20 min` */
export function durationText(seconds: number): string {
  if (seconds < 59.5) return `${seconds.toPrecision(seconds < 10 ? 2 : 3)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Of what nobody knows to the second: `45 s`, `12 min`, `3 h 05 min` */
export function timeLeftText(seconds: number): string {
  if (seconds < 59.5) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** `2026-01-31 09:30:00`, in UTC as everything that a fleet writes. */
export const timeText = (time: Date): string => time.toISOString().slice(0, 19).replace('T', ' ');

/** `03:12 UTC`, with the day where it is not today. */
export function clockText(now: Date, secondsLater: number): string {
  const end = new Date(now.getTime() + secondsLater * 1_000).toISOString();
  const day = end.slice(0, 10) === now.toISOString().slice(0, 10) ? '' : `${end.slice(0, 10)} `;
  return `${day}${end.slice(11, 16)} UTC`;
}
