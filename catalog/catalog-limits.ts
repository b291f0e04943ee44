/** What a catalog may hold. Above the uses we know of by a wide margin, and small enough for one process's memory. */
export const CATALOG_LIMITS = {
  bytes: 256 * 2 ** 20,
  jobs: 1_000_000,
  columns: 200,
  /**
   * Different columns that travel along, in all rows together. Every key of a JSON line is one, and the tables have a cell of each for every
   * job: with keys that are data (`sku_4711: …`) they would grow with the square of the rows.
   */
  carriedColumns: 500,
  /** Jobs times those columns: variants and combinations repeat what their row carries, and the tables are made in memory. */
  carriedCells: 50_000_000,
  /** Of names and cells that travel along, over all jobs. A plan, a manifest and its tables each hold all of it. */
  carriedCharacters: 2 ** 29,
  rowBytes: 256 * 2 ** 10,
  cellCharacters: 20_000,
  termsBytes: 16 * 2 ** 20,
  /** Of a workbook, all that is unpacked of it; reading it takes as long as these bytes do, whatever its sheets say of their size. */
  unpackedBytes: 2 ** 29,
  workbookParts: 10_000,
} as const;
