import { cellOf, type Metadata } from './metadata.ts';
import { ROW_COLUMNS } from './parameters.ts';

/**
 * What a row has under a name: in a column of its own first; then what it became, by the names that a catalog has for it. However letters with
 * accents are put together in the name (NFC, NFD), it is the same.
 *
 * @param columns what it became, by these names
 * @returns `undefined` where there is nothing
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
