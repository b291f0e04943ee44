import { z } from 'zod';
import { isWithinBins } from '../domain/cells.ts';
import { COLUMN_OF, type Column, every, GRID_COLUMNS, keysOf } from '../domain/parameters.ts';
import { quoted } from '../domain/printable.mjs';
import type { Problems } from './problems.ts';
import type { RawRow } from './reading/raw-row.ts';

const rowSchema = z.object(every('cell'));

/** The values of a row, by the parameters' keys. */
export type Row = z.infer<typeof rowSchema>;

/** Validates one row's cells; adds a problem for each invalid one, and returns null if there was any. */
export function parseRow(raw: RawRow, problems: Problems): Row | null {
  const before = problems.total;
  const report = (column: Column, expected: string): void => {
    const value = raw.values[column];
    const found = value === undefined ? 'nothing' : `${quoted(value)}${adviceFor(column, value)}`;
    problems.add({ line: raw.line, column: raw.columns.get(column)?.name ?? column, expected, found });
  };
  const { aspect, width, height } = raw.values;
  if (aspect !== undefined && (width ?? height) !== undefined) report('aspect', 'either aspect or width and height');
  if (width !== undefined && height === undefined) report('height', 'a height with the width');
  if (height !== undefined && width === undefined) report('width', 'a width with the height');

  const row = readCells(raw, report);
  if (row?.width !== undefined && row.height !== undefined && !isWithinBins({ width: row.width, height: row.height })) {
    report('height', 'a height between a quarter of the width and four times the width');
  }
  return problems.total > before ? null : row;
}

/** The value of each key if its cell is empty; the prompt is required. */
const EMPTY = new Map(keysOf(COLUMN_OF).map((key) => [key, rowSchema.shape[key].safeParse(undefined)]));

/** Cell by cell: most cells of a row are empty, and parsing the whole row takes ten times as long. */
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

/** What the author of such a cell may have meant. With expansion, grids have been expanded before this. */
function adviceFor(column: Column, value: string): string {
  if (value.includes('|') && GRID_COLUMNS.includes(column)) return '; --expand makes an image of each';
  if (column === 'seed' && /^(-\d+(\.0+)?|random|rand|fresh|none|null)$/i.test(value)) {
    return '; leave it empty for a seed from the prompt, or use --seeds fresh for a new one in every batch';
  }
  if (column === 'size' && /^\d+\s*[x×*]\s*\d+$/i.test(value)) return '; for pixels, use width and height';
  return '';
}
