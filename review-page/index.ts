export { encodePiece } from './encode.ts';
export { type SheetHead, type SheetPiece, type SheetRow, SLOTS } from './format.ts';
export { makePage } from './page.ts';
export { SHEET_PARAMETERS, sheetRow } from './row.ts';
export { makeSprite, type SpriteImage, spriteColours, spriteName } from './sprite.ts';
export { writeContactSheet } from './write-contact-sheet.ts';
export { writePage } from './write-page.ts';
