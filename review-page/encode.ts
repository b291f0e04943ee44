import { createHash } from 'node:crypto';
import { gathered, runsOf, TURN_CELLS } from '../domain/turns.ts';
import type { SheetPiece } from './format.ts';

/**
 * JSON that is safe in a script file and inside a page's `<script>`: prompts come from catalogs and must not end the element
 * that they are in. U+2028 and U+2029 end a line in older JavaScript.
 */
export const scriptJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Encodes a piece as a script: pages opened from a folder may load scripts and pictures, but may not fetch data. */
export async function encodePiece(number: number, piece: SheetPiece): Promise<{ name: string; file: Uint8Array }> {
  const file = await gathered(parts(number, piece));
  const digest = createHash('sha256').update(file).digest('hex');
  return { name: `rows-${digest.slice(0, 32)}.js`, file };
}

function* parts(number: number, { sprites, rows }: SheetPiece): Generator<Uint8Array> {
  let before = `sheetPiece(${number},{"sprites":${scriptJson(sprites)},"rows":[`;
  for (const run of runsOf(rows, ({ values }) => OWN_CELLS + values.length, TURN_CELLS)) {
    yield Buffer.from(before + run.map(scriptJson).join(','));
    before = ',';
  }
  yield Buffer.from(`${rows.length === 0 ? before : ''}]})\n`);
}

/** Number of a row's cells, apart from the catalog's other columns. */
const OWN_CELLS = 20;
