import { createHash } from 'node:crypto';
import type { SheetPiece } from './format.ts';

/**
 * JSON that may stand in a script file and inside a page's `<script>`: prompts come from catalogs and must not end the element
 * that they are in. The line separators end a line in older JavaScript.
 */
export const scriptJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** A piece as a script: pages that are opened from a folder may load scripts and pictures, but may not fetch data. */
export function encodePiece(number: number, piece: SheetPiece): { name: string; file: Uint8Array } {
  const file = Buffer.from(`sheetPiece(${number},${scriptJson(piece)})\n`);
  const digest = createHash('sha256').update(file).digest('hex');
  return { name: `rows-${digest.slice(0, 32)}.js`, file };
}
