export * from './object-store.ts';
export { type OpenStore, openStore, storeUrl } from './open-store.ts';
export { readUrl, termsReader } from './read-url.ts';
export { shownPlace } from './shown-place.ts';
export { besideName, writeOrBeside } from './write-beside.ts';
