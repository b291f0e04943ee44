import { cellOf, type Metadata } from './metadata.ts';
import { ROW_COLUMNS } from './parameters.ts';

/**
 * The value of a row under a name: in a carried column first, then in the job's own values, by their column names. NFC and
 * NFD count as equal in the name.
 *
 * @param columns the job's values by column name
 * @returns `undefined` if there is none
 */
export function rowValue(metadata: Metadata, columns: object, name: string): string | undefined {
  for (const called of new Set([name, name.normalize('NFC'), name.normalize('NFD')])) {
    const carried = cellOf(metadata, called);
    if (carried !== undefined) return carried;
  }
  if (!ROW_COLUMNS.includes(name)) return undefined;
  const value: unknown = columns[name as keyof typeof columns];
  return value === undefined || value === null ? undefined : String(value);
}
