import { Buffer, isUtf8 } from 'node:buffer';
import { windows1252 } from '../catalog/reading/windows-1252.ts';

/**
 * Whether a kept catalog may contain one of some values. It may be a table or JSON Lines in UTF-8, UTF-16 or
 * Windows-1252, searched as it is and with its format's escapes undone, or a workbook. Decomposed letters are composed
 * too. It errs on the side of finding too much, since each catalog is named before it is removed; a workbook that
 * cannot be read counts as containing a value.
 *
 * @param name the catalog's object, whose extension is its format
 * @param values patterns of text in NFC, without the flags g and y, which would start a search where the last one ended
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

/** One at a time, so that the texts of a large file are never in memory together. */
function* readings(bytes: Buffer): Generator<string> {
  yield bytes.toString('utf8');
  yield bytes.toString('utf16le');
  // Byte pairs are swapped in a copy, without an odd last byte.
  yield Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString('utf16le');
  if (!isUtf8(bytes)) yield windows1252(bytes);
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** Undoes JSON's escapes; the halves of a surrogate pair, escaped one after the other, join up. */
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
