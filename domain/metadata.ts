import { z } from 'zod';

/**
 * The cells of a row's carried columns, by column name. Users choose the names: one may be `constructor` or `__proto__`, so
 * read cells only with `cellOf`.
 */
export type Metadata = Record<string, string>;

/** The row's cell in this column; `undefined` if it is empty, or there is no such column. */
export const cellOf = (metadata: Metadata, column: string): string | undefined =>
  Object.hasOwn(metadata, column) ? metadata[column] : undefined;

/** Not zod's record, which drops a key `__proto__` (4.6.7, on purpose), so the cell would be lost. */
export const metadataSchema = z.custom<Metadata>(isMetadata, 'an object of texts');

function isMetadata(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((cell) => typeof cell === 'string');
}
