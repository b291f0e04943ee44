import type { Buffer } from 'node:buffer';
import { Archive } from './archive.ts';
import { sheetRows } from './sheet-rows.ts';
import { readWorkbook } from './workbook.ts';

/**
 * The texts of all cells in a workbook, including hidden sheets.
 *
 * @throws NotAWorkbook
 */
export async function* workbookTexts(bytes: Buffer): AsyncGenerator<string> {
  const archive = await Archive.open(bytes);
  const workbook = await readWorkbook(archive);
  for (const { part } of workbook.sheets) {
    for await (const { cells } of sheetRows(archive, part, workbook)) yield* cells.map(({ shown }) => shown);
  }
}
