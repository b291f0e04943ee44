import { Buffer, isUtf8 } from 'node:buffer';
import { windows1252 } from '../catalog/reading/windows-1252.ts';

/**
 * Whether one of some values may stand in a kept catalog: a table or JSON Lines in UTF-8, UTF-16 or Windows-1252, as it is and with what
 * their formats escape read back, or a workbook. Decomposed letters are composed too. Rather too many are found than too few: each
 * is named before it goes. Of a workbook that cannot be read it is said that one does: nobody knows.
 *
 * @param name the catalog's object, whose ending is its format
 * @param values whose text is in NFC, without the flags g and y, which would make a search begin where the last one ended
 */
export async function hasText(name: string, bytes: Uint8Array, values: readonly RegExp[]): Promise<boolean> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (name.endsWith('.xlsx')) return workbookHasText(buffer, values);
  for (const text of readings(buffer)) {
    if (isIn(text, values) || isIn(withoutEscapes(text), values) || isIn(text.replaceAll('""', '"'), values))
      return true;
  }
  return false;
}

/** One after the other, as a large file's texts need not be held together. */
function* readings(bytes: Buffer): Generator<string> {
  yield bytes.toString('utf8');
  yield bytes.toString('utf16le');
  // Pairs are swapped in a copy, without a last byte that has no other.
  yield Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString('utf16le');
  if (!isUtf8(bytes)) yield windows1252(bytes);
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** What JSON escapes, read back; half a character, as two escapes in a row have it, joins the other half. */
const withoutEscapes = (text: string): string =>
  text.replaceAll(/\\(?:u([0-9a-f]{4})|(.))/gi, (_, code: string | undefined, character: string) =>
    code === undefined ? (SHORT_ESCAPES[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16)),
  );

async function workbookHasText(bytes: Buffer, values: readonly RegExp[]): Promise<boolean> {
  const { NotAWorkbook } = await import('../catalog/workbook/archive.ts');
  const { workbookTexts } = await import('../catalog/workbook/texts.ts');
  try {
    for await (const shown of workbookTexts(bytes)) if (isIn(shown, values)) return true;
    return false;
  } catch (error) {
    if (error instanceof NotAWorkbook) return true;
    throw error;
  }
}

const isIn = (text: string, values: readonly RegExp[]): boolean =>
  [text, text.normalize('NFC')].some((spelled) => values.some((value) => value.test(spelled)));
