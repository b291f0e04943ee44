import type { Problems } from '../problems.ts';
import { mapColumns } from './columns.ts';
import { checkCell, type RawRow, toRawRow } from './raw-row.ts';
import { readLines } from './text.ts';

/** A line of a table before it is known which cell is which. */
export type TableRecord = { line: number; cells: readonly string[] };

/** TSV has no quoting: a quote is a quote, and a line is a record. */
export async function* tsvRecords(text: AsyncIterable<string>): AsyncGenerator<TableRecord> {
  for await (const { line, text: record } of readLines(text)) yield { line, cells: record.split('\t') };
}

/**
 * Reads the first record as the header and the others as rows. Rows of empty cells, which spreadsheets leave at the
 * end, are passed over; a row with too few or too many cells is a problem.
 * @throws CatalogError for a header without which rows mean nothing
 */
export async function* tableRows(
  records: AsyncIterable<TableRecord>,
  mapping: Readonly<Record<string, string>>,
  problems: Problems,
): AsyncGenerator<RawRow> {
  let columns: ReturnType<typeof mapColumns> = null;
  for await (const { line, cells } of records) {
    if (columns === null) {
      columns = readHeader(line, cells, mapping, problems);
    } else if (cells.some((cell) => cell.trim() !== '')) {
      if (cells.length !== columns.count) {
        problems.add({
          line,
          column: null,
          expected: `${columns.count} cells, as in the header`,
          found: `${cells.length}`,
        });
        continue;
      }
      yield toRawRow(line, cells, columns, problems);
    }
  }
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
