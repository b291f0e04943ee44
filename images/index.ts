export { createCanvas, paste } from './canvas.ts';
export { MAX_SHEET_IMAGES, makeContactSheet, type Sheet, type SheetImage } from './contact-sheet.ts';
export { contentType, encodeAs, encodeImage, type Origin, type Pixels } from './encode.ts';
export { readImageMetadata, readRenderKey } from './metadata.ts';
export { hasRoom } from './metadata-limit.ts';
export { type Parameters, withPngParameters } from './png-parameters.ts';
export type { ImageMetadata } from './properties.ts';
export { imageFault } from './whole.ts';
export { toPlainXmp } from './xmp.ts';
