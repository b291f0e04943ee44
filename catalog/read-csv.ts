import { pipeline, Readable } from 'node:stream';
import { CsvError, type Info, parse } from 'csv-parse';
import { LIMITS } from './limits.ts';
import type { Problems } from './problems.ts';
import type { TableRecord } from './read-table.ts';

/**
 * Splits CSV into records, each with the number of its first line. Newlines are "\n" already: csv-parse counts a
 * quoted "\r\n" as two lines.
 * @throws CatalogError where quotes do not add up, as nothing after that can be told apart
 */
export async function* csvRecords(text: AsyncIterable<string>, problems: Problems): AsyncGenerator<TableRecord> {
  const parser = parse({
    info: true,
    relax_column_count: true,
    record_delimiter: '\n',
    skip_empty_lines: true,
    max_record_size: LIMITS.rowBytes,
  });
  // An error of the source reaches the loop below because the pipeline destroys the parser with it.
  pipeline(Readable.from(text), parser, () => {});
  let read = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      read = info.lines;
      yield { line: read - newlinesIn(record), cells: record };
    }
  } catch (error) {
    throw error instanceof CsvError ? problems.fatal(quoteProblem(error, read + 1)) : error;
  }
}

const newlinesIn = (cells: readonly string[]): number =>
  cells.reduce((count, cell) => count + (cell.includes('\n') ? cell.split('\n').length - 1 : 0), 0);

function quoteProblem(error: CsvError, line: number): Parameters<Problems['fatal']>[0] {
  const at = { line, column: null };
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return { ...at, expected: 'a closing quote', found: 'the end of the file' };
    case 'CSV_MAX_RECORD_SIZE':
      return { ...at, expected: `a row of at most ${LIMITS.rowBytes} bytes`, found: 'more; is a quote not closed?' };
    default: {
      const expected = 'a cell that holds a quote to stand in quotes, with the quote doubled: "a 6"" nail"';
      return { ...at, expected, found: `a lone quote on line ${error.lines}` };
    }
  }
}
