import type { CatalogFormat } from '../../domain/catalog-settings.ts';

/** How a catalog's file was read. */
export type ReadAs = {
  format: CatalogFormat;
  /** Encoding of the text; `null` for pure ASCII and for a workbook. */
  encoding: 'UTF-8' | 'UTF-16' | 'Windows-1252' | null;
  /** A word of the file that is correct only if the encoding was guessed right; `null` if it was not guessed. */
  assumedFor: string | null;
  /** Separator of the cells of a table. */
  separator: string | null;
  /** Name of the sheet, for a workbook. */
  sheet: string | null;
  /** The workbook's other sheets. */
  otherSheets: string[];
  /** Number of rows that the sheet hides, as with a filter; they are read too. */
  hiddenRows: number;
};

/** The initial state, which the readers of a file fill in. */
export const newReadAs = (format: CatalogFormat): ReadAs => ({
  format,
  encoding: null,
  assumedFor: null,
  separator: null,
  sheet: null,
  otherSheets: [],
  hiddenRows: 0,
});
