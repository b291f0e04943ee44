/** Limits on a catalog: far above the uses we know of, and small enough for the memory of one process. */
export const CATALOG_LIMITS = {
  bytes: 256 * 2 ** 20,
  jobs: 1_000_000,
  columns: 200,
  /**
   * Different extra columns in all rows together. Every key of a JSON line is a column, and the tables have a cell per column
   * and job: if keys are data (`sku_4711: …`), they would grow with the square of the rows.
   */
  carriedColumns: 500,
  /** Jobs times those columns: variants and combinations repeat their row's cells, and the tables are built in memory. */
  carriedCells: 50_000_000,
  /** Characters in their names and cells, over all jobs. A plan, a manifest and its tables each hold all of them. */
  carriedCharacters: 2 ** 29,
  rowBytes: 256 * 2 ** 10,
  cellCharacters: 20_000,
  termsBytes: 16 * 2 ** 20,
  /** Unpacked bytes of a workbook: they determine how long reading takes, whatever size its sheets claim. */
  unpackedBytes: 2 ** 29,
  workbookParts: 10_000,
} as const;
