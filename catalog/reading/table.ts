import { TEXT_COLUMNS } from '../../domain/parameters.ts';
import type { Problems } from '../problems.ts';
import { type ColumnMap, mapColumns } from './columns.ts';
import { checkCell, type RawRow, toRawRow } from './raw-row.ts';

/** A line of a table before its cells are matched to columns. */
export type TableRecord = {
  line: number;
  cells: readonly string[];
  /** By position: numbers that a sheet shows in another format, such as 1,200 or 50%. Numeric columns use these. */
  numbers?: ReadonlyMap<number, string>;
};

/**
 * Reads the first record as the header and the others as rows. Rows of empty cells, which spreadsheets leave at the
 * end, are ignored; a row with too few or too many cells is a problem.
 * @throws CatalogError for an invalid header
 */
export async function* tableRows(
  records: AsyncIterable<TableRecord>,
  mapping: Readonly<Record<string, string>>,
  problems: Problems,
  { decimalCommas = false }: { decimalCommas?: boolean } = {},
): AsyncGenerator<RawRow> {
  let columns: ReturnType<typeof mapColumns> = null;
  for await (const { line, cells, numbers } of records) {
    if (columns === null) {
      columns = readHeader(line, cells, mapping, problems);
    } else if (cells.some((cell) => cell.trim() !== '')) {
      if (cells.length !== columns.count) {
        problems.add({
          line,
          column: null,
          expected: `${columns.count} cells, as in the header`,
          found: `${cells.length}${brokenCellHint(cells)}`,
        });
        continue;
      }
      const row = toRawRow(line, withNumbers(cells, numbers, columns), columns, problems);
      yield decimalCommas ? { ...row, values: withDecimalPoints(row.values) } : row;
    }
  }
}

/** If a quoted cell was read as two lines, a stray quote elsewhere in the table has turned quoting off. */
const brokenCellHint = (cells: readonly string[]): string =>
  cells.some((cell) => /^"[^"]*$|^[^"]*"$/.test(cell))
    ? '; for line breaks in cells, every quote in the table must either enclose a cell or be doubled'
    : '';

function withNumbers(
  cells: readonly string[],
  numbers: TableRecord['numbers'],
  { known }: ColumnMap,
): readonly string[] {
  if (numbers === undefined || numbers.size === 0) return cells;
  const taken = [...cells];
  for (const [column, { position }] of known) {
    if (!isText(column)) taken[position] = numbers.get(position) ?? taken[position]!;
  }
  return taken;
}

const isText = (column: string): boolean => column === 'id' || TEXT_COLUMNS.some((text) => text === column);

/** Turns decimal commas in numbers, also in grids, into points: spreadsheets of many countries write 4,5. */
function withDecimalPoints(values: RawRow['values']): RawRow['values'] {
  const entries = Object.entries(values).map(([column, value]) => {
    return [column, isText(column) ? value : value.replaceAll(/(?<=(?:^|\|)\s*\d+),(?=\d+\s*(?:\||$))/g, '.')];
  });
  return Object.fromEntries(entries);
}

function readHeader(
  line: number,
  names: readonly string[],
  mapping: Readonly<Record<string, string>>,
  problems: Problems,
): NonNullable<ReturnType<typeof mapColumns>> {
  const before = problems.total;
  for (const [position, name] of names.entries()) checkCell(name, line, `column ${position + 1}`, problems);
  const columns = mapColumns(names, mapping, line, problems);
  if (columns === null || problems.total > before) throw problems.error();
  return columns;
}
