/** What a catalog may hold. Above the uses we know of by a wide margin, and small enough for one process's memory. */
export const CATALOG_LIMITS = {
  bytes: 256 * 2 ** 20,
  jobs: 1_000_000,
  columns: 200,
  rowBytes: 256 * 2 ** 10,
  cellCharacters: 20_000,
  termsBytes: 16 * 2 ** 20,
} as const;
