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

  const cells = keysOf(COLUMN_OF).map((key) => [key, raw.values[COLUMN_OF[key]]]);
  const result = rowSchema.safeParse(Object.fromEntries(cells));
  if (!result.success) {
    for (const issue of result.error.issues) report(COLUMN_OF[issue.path[0] as keyof Row], issue.message);
  } else if (result.data.width !== undefined && result.data.height !== undefined) {
    const shape = { width: result.data.width, height: result.data.height };
    if (!isWithinBins(shape)) report('height', 'a height between a quarter of the width and four times the width');
  }
  return problems.total > before || !result.success ? null : result.data;
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
