import type { Buffer } from 'node:buffer';
import { quoted } from '../../domain/printable.mjs';
import { CATALOG_LIMITS } from '../catalog-limits.ts';
import type { Places, Problems } from '../problems.ts';
import type { ReadAs } from '../reading/read-as.ts';
import type { TableRecord } from '../reading/table.ts';
import { Archive, NotAWorkbook } from './archive.ts';
import { lettersOf, sheetText } from './places.ts';
import { type SheetRow, sheetRows } from './sheet-rows.ts';
import { readWorkbook, type Workbook } from './workbook.ts';

/**
 * Reads a sheet of an Excel workbook as records of a table, with the cells as the sheet shows them, leaving out empty rows. A
 * row with a formula that was never calculated is a problem, and is skipped.
 *
 * @param name the sheet; default: the first that is not hidden
 * @param readAs receives the sheet
 * @throws CatalogError for anything that is not a workbook, and for one that is too large
 */
export async function* workbookRecords(
  bytes: Buffer,
  name: string | undefined,
  problems: Problems,
  readAs: ReadAs,
): AsyncGenerator<TableRecord> {
  try {
    const archive = await Archive.open(bytes);
    const workbook = await readWorkbook(archive);
    const sheet = chosenSheet(workbook, name);
    readAs.sheet = sheet.name;
    readAs.otherSheets = workbook.sheets.filter((other) => other !== sheet).map((other) => other.name);
    problems.setPlaces(placesIn(sheet.name, []));
    let header: string[] | null = null;
    for await (const row of sheetRows(archive, sheet.part, workbook)) {
      if (row.isHidden) readAs.hiddenRows += 1;
      if (header === null) {
        header = cellsOf(row);
        problems.setPlaces(placesIn(sheet.name, header));
      }
      const isWhole = checkFormulas(row, header, problems) && checkWidth(row, header.length, problems);
      if (!isWhole) continue;
      yield { line: row.line, cells: cellsOf(row, header.length), numbers: numbersOf(row) };
    }
  } catch (error) {
    if (!(error instanceof NotAWorkbook)) throw error;
    throw problems.fatal({ line: null, column: null, expected: error.expected, found: error.found });
  }
}

function chosenSheet({ sheets }: Workbook, name: string | undefined): Workbook['sheets'][number] {
  const folded = name?.trim().toLowerCase();
  const sheet =
    folded === undefined
      ? (sheets.find(({ isHidden }) => !isHidden) ?? sheets[0])
      : (sheets.find((candidate) => candidate.name === name) ??
        sheets.find((candidate) => candidate.name.trim().toLowerCase() === folded));
  if (sheet !== undefined) return sheet;
  const expected = name === undefined ? 'a sheet with cells' : `a sheet ${quoted(name)}`;
  throw new NotAWorkbook(
    expected,
    sheets.length === 0
      ? 'none'
      : sheets
          .slice(0, 20)
          .map(({ name }) => quoted(name))
          .join(', '),
  );
}

/** Maps column names to their letters; `column 3` stands for a column without a name. */
function placesIn(sheet: string, header: readonly string[]): Places {
  const letters = new Map(header.map((name, position) => [name.trim(), lettersOf(position)] as const).toReversed());
  const text = sheetText(sheet);
  const row = (line: number): string => `${text}, row ${line}`;
  return {
    row,
    of(line, column) {
      const position = /^column (\d{1,5})$/.exec(column ?? '')?.[1];
      const letter = letters.get(column ?? '') ?? (position && lettersOf(Number(position) - 1));
      return letter === undefined || column === null ? row(line) : `${text}!${letter}${line}`;
    },
  };
}

function cellsOf({ cells }: SheetRow, length = (cells.at(-1)?.position ?? -1) + 1): string[] {
  const row = Array.from({ length }, () => '');
  for (const { position, shown } of cells) if (position < length) row[position] = shown;
  return row;
}

function numbersOf({ cells }: SheetRow): Map<number, string> {
  return new Map(cells.flatMap(({ position, number }) => (number === null ? [] : [[position, number] as const])));
}

const NOT_CALCULATED = {
  'never calculated': 'none, because the program that wrote the file does not calculate formulas',
  'maybe never calculated': '0, which programs that do not calculate formulas write instead',
};

function checkFormulas({ line, cells }: SheetRow, header: readonly string[], problems: Problems): boolean {
  const before = problems.total;
  for (const { position, lacks } of cells) {
    if (lacks === null) continue;
    problems.add({
      line,
      column: header[position]?.trim() || `column ${position + 1}`,
      expected: "the formula's value",
      found: `${NOT_CALCULATED[lacks]}; open and save the file in a spreadsheet, and submit that`,
    });
  }
  return problems.total === before;
}

/** Cells beyond the header are a problem; and a row has the same limit as a line of text. */
function checkWidth({ line, cells }: SheetRow, width: number, problems: Problems): boolean {
  const beyond = cells.find(({ position }) => position >= width);
  if (beyond !== undefined) {
    const column = `column ${beyond.position + 1}`;
    problems.add({ line, column, expected: 'a name for the column in the header', found: quoted(beyond.shown) });
  }
  const characters = cells.reduce((sum, { shown }) => sum + shown.length, 0);
  if (characters > CATALOG_LIMITS.rowBytes) {
    problems.add({
      line,
      column: null,
      expected: `a row of at most ${CATALOG_LIMITS.rowBytes} characters`,
      found: 'more',
    });
  }
  return beyond === undefined && characters <= CATALOG_LIMITS.rowBytes;
}
