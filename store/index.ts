export * from './layout.ts';
export * from './object-store.ts';
export { openStore, storeUrl } from './open-store.ts';
export { readRates } from './read-rates.ts';
export { termsReader } from './read-terms.ts';
export { readUrl } from './read-url.ts';
