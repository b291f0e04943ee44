export * from './object-store.ts';
export { openStore, storeUrl } from './open-store.ts';
export { readUrl } from './read-url.ts';
