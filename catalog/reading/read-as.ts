import type { CatalogFormat } from '../../domain/catalog-settings.ts';

/** What a catalog's file was taken for. */
export type ReadAs = {
  format: CatalogFormat;
  /** Of its text; `null` while nothing but ASCII was seen, and for a workbook. */
  encoding: 'UTF-8' | 'UTF-16' | 'Windows-1252' | null;
  /** A word of the file that is text only where the encoding was guessed right; `null` where it was not guessed. */
  assumedFor: string | null;
  /** What separates the cells of a table. */
  separator: string | null;
  /** Name of the sheet, of a workbook. */
  sheet: string | null;
  /** The workbook's other sheets. */
  otherSheets: string[];
  /** Rows that the sheet hides, as with a filter; they are read too. */
  hiddenRows: number;
};

/** As it is before anything was read; the readers of a file fill it in. */
export const newReadAs = (format: CatalogFormat): ReadAs => ({
  format,
  encoding: null,
  assumedFor: null,
  separator: null,
  sheet: null,
  otherSheets: [],
  hiddenRows: 0,
});
