export { changesSince } from './changes-since.ts';
export { keepLatestBatch } from './latest-batch.ts';
export * from './layout.ts';
export * from './object-store.ts';
export { openStore, storeUrl } from './open-store.ts';
export { findBatchRows, readBatchRows } from './read-batch-rows.ts';
export { readRates } from './read-rates.ts';
export { termsReader } from './read-terms.ts';
export { readUrl } from './read-url.ts';
