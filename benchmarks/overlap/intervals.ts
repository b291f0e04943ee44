/** In milliseconds. */
export type Interval = { start: number; end: number };

/** The same time without what is in it twice, in order. */
export function union(intervals: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const { start, end } of intervals.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}

/** Of intervals that do not overlap. */
export const lengthOf = (intervals: readonly Interval[]): number =>
  intervals.reduce((sum, { start, end }) => sum + end - start, 0);

/** What of the intervals is in a window. */
export const within = (intervals: readonly Interval[], window: Interval): Interval[] =>
  intervals
    .map(({ start, end }) => ({ start: Math.max(start, window.start), end: Math.min(end, window.end) }))
    .filter(({ start, end }) => end > start);

const SHADES = [' ', '░', '▒', '▓', '█'];

/** A line of a timeline: how much of each column's time the intervals fill. */
export function lane(intervals: readonly Interval[], window: Interval, columns: number): string {
  const merged = union(intervals);
  const step = (window.end - window.start) / columns;
  return Array.from({ length: columns }, (_, i) => {
    const column = { start: window.start + i * step, end: window.start + (i + 1) * step };
    return SHADES[Math.round((lengthOf(within(merged, column)) / step) * (SHADES.length - 1))];
  }).join('');
}
