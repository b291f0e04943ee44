import { columnsOf, type Job } from './job.ts';
import { rowValue } from './row-value.ts';

/** Rows whose column has a value; `*` in it stands for anything. */
export type RowFilter = { column: string; pattern: string };

/**
 * Whether a job's row has the value, `*` standing for anything. A column that it does not have is no match. However letters with accents are
 * put together (NFC, NFD), they are the same.
 */
export function matches(job: Job, { column, pattern }: RowFilter): boolean {
  const value = rowValue(job.metadata, columnsOf(job), column);
  return value !== undefined && isLike(value.normalize('NFC'), pattern.normalize('NFC'));
}

/** One pass over the value: a regular expression tries all ways to share it among the stars, for hours where it is long. */
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
