export * from './object-store.ts';
export { type OpenStore, openStore, storeKind, storeUrl } from './open-store.ts';
export { readUrl, type Sources, termsReader } from './read-url.ts';
export { shownPlace } from './shown-place.ts';
export { besideName, writeOrBeside } from './write-beside.ts';
