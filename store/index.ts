export { TEMP_FOLDER } from './object-name.ts';
export * from './object-store.ts';
export { type OpenStore, openPlace, openStore, storeKind, storeUrl } from './open-store.ts';
export { readUrl, type Sources, termsReader } from './read-url.ts';
export { shownPlace } from './shown-place.ts';
export { besideName, writeOrBeside } from './write-beside.ts';
