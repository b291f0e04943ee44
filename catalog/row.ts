import { z } from 'zod';
import { isWithinBins } from '../domain/cells.ts';
import { COLUMN_OF, type Column, every, GRID_COLUMNS, keysOf } from '../domain/parameters.ts';
import { quoted } from '../domain/printable.mjs';
import type { Problems } from './problems.ts';
import type { RawRow } from './reading/raw-row.ts';

const rowSchema = z.object(every('cell'));

/** What a row says, by the parameters' keys. */
export type Row = z.infer<typeof rowSchema>;

/** Validates one row's cells; adds a problem for each that is wrong, and returns null if one was. */
export function parseRow(raw: RawRow, problems: Problems): Row | null {
  const before = problems.total;
  const report = (column: Column, expected: string): void => {
    const value = raw.values[column];
    const found = value === undefined ? 'nothing' : `${quoted(value)}${adviceFor(column, value)}`;
    problems.add({ line: raw.line, column: raw.columns.get(column)?.name ?? column, expected, found });
  };
  const { aspect, width, height } = raw.values;
  if (aspect !== undefined && (width ?? height) !== undefined) report('aspect', 'either aspect or width and height');
  if (width !== undefined && height === undefined) report('height', 'a height beside the width');
  if (height !== undefined && width === undefined) report('width', 'a width beside the height');

  const row = readCells(raw, report);
  if (row?.width !== undefined && row.height !== undefined && !isWithinBins({ width: row.width, height: row.height })) {
    report('height', 'a height between a quarter of the width and four times the width');
  }
  return problems.total > before ? null : row;
}

/** What each key is where its cell is empty; a prompt has to be there. */
const EMPTY = new Map(keysOf(COLUMN_OF).map((key) => [key, rowSchema.shape[key].safeParse(undefined)]));

/** Cell by cell: most of a row's are empty, and reading all of them takes ten times as long. */
function readCells(raw: RawRow, report: (column: Column, expected: string) => void): Row | null {
  const row: Record<string, unknown> = {};
  let isRight = true;
  for (const [key, empty] of EMPTY) {
    const text = raw.values[COLUMN_OF[key]];
    const cell = text === undefined ? empty : rowSchema.shape[key].safeParse(text);
    if (!cell.success) {
      isRight = false;
      for (const { message } of cell.error.issues) report(COLUMN_OF[key], message);
    } else if (cell.data !== undefined) row[key] = cell.data;
  }
  return isRight ? (row as Row) : null;
}

/** What people who wrote such a cell may have meant. With expansion no grid comes here: it has been taken apart. */
function adviceFor(column: Column, value: string): string {
  if (value.includes('|') && GRID_COLUMNS.includes(column)) return '; --expand takes these one by one';
  if (column === 'seed' && /^(-\d+(\.0+)?|random|rand|fresh|none|null)$/i.test(value)) {
    return '; leave it empty for a seed of its own, and take --seeds fresh for another one in every batch';
  }
  if (column === 'size' && /^\d+\s*[x×*]\s*\d+$/i.test(value)) return '; pixels are width and height';
  return '';
}
