import { columnsOf, type Job } from './job.ts';
import { rowValue } from './row-value.ts';

/** Selects rows by the value of a column; `*` matches anything. */
export type RowFilter = { column: string; pattern: string };

/**
 * Whether a job's row matches; `*` matches anything. A missing column is no match. NFC and NFD count as equal.
 */
export function matches(job: Job, { column, pattern }: RowFilter): boolean {
  const value = rowValue(job.metadata, columnsOf(job), column);
  return value !== undefined && isLike(value.normalize('NFC'), pattern.normalize('NFC'));
}

/** Matches in one pass: a regular expression would try all ways to split the value among the stars, for hours if it is long. */
function isLike(value: string, pattern: string): boolean {
  const [start = '', ...parts] = pattern.split('*');
  const end = parts.pop();
  if (end === undefined) return value === start;
  if (!value.startsWith(start)) return false;
  let at = start.length;
  for (const part of parts) {
    const found = value.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return value.length - end.length >= at && value.endsWith(end);
}
