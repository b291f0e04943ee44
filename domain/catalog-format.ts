import { UserError } from './user-error.ts';

export const CATALOG_FORMATS = ['csv', 'tsv', 'jsonl'] as const;

export type CatalogFormat = (typeof CATALOG_FORMATS)[number];

/**
 * The format that a catalog's file name tells.
 * @throws UserError for any other ending
 */
export function catalogFormat(file: string): CatalogFormat {
  const ending = /\.([^./\\]*)$/.exec(file)?.[1]?.toLowerCase();
  const format = CATALOG_FORMATS.find((name) => name === ending);
  if (format !== undefined) return format;
  throw new UserError(`${file}: expected a catalog whose name ends in .csv, .tsv or .jsonl, or --catalog-format`);
}
