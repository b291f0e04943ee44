import { z } from 'zod';

/**
 * The cells of a row's columns that mean nothing to us, by the columns' names. A stranger chose these: one may be called `constructor` or
 * `__proto__`, so that a cell is read with `cellOf` only.
 */
export type Metadata = Record<string, string>;

/** What the row has in the column; `undefined` where the cell is empty, or there is no such column. */
export const cellOf = (metadata: Metadata, column: string): string | undefined =>
  Object.hasOwn(metadata, column) ? metadata[column] : undefined;

/** Not zod's record: that leaves out a key `__proto__` (4.6.7, on purpose), and the cell would be lost. */
export const metadataSchema = z.custom<Metadata>(isMetadata, 'an object of texts');

function isMetadata(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((cell) => typeof cell === 'string');
}
