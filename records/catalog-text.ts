import { Buffer, isUtf8 } from 'node:buffer';
import { windows1252 } from '../catalog/reading/windows-1252.ts';

/**
 * Whether one of some values stands anywhere in a kept catalog, of whatever format and encoding. Of a workbook that cannot be read it is
 * said that one does: nobody knows.
 *
 * @param name the catalog's object, whose ending is its format
 * @param values without the flags g and y, which would make a search begin where the last one ended
 */
export async function hasText(name: string, bytes: Uint8Array, values: readonly RegExp[]): Promise<boolean> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (name.endsWith('.xlsx')) return workbookHasText(buffer, values);
  const readings = [buffer.toString('utf8'), buffer.toString('utf16le')];
  if (!isUtf8(buffer)) readings.push(windows1252(buffer));
  return readings.some((text) => isIn(text, values));
}

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

const isIn = (text: string, values: readonly RegExp[]): boolean => values.some((value) => value.test(text));
