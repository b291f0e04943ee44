import { pipeline, Readable } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import { CATALOG_LIMITS } from '../catalog-limits.ts';
import type { Problems } from '../problems.ts';
import type { TableRecord } from './table.ts';

/**
 * Splits CSV, with any delimiter, into records, each with the number of its first line. A record with unbalanced quotes is a
 * problem, and reading continues at the next line.
 * @param text with "\n" line endings: csv-parse counts a quoted "\r\n" as two lines
 * @throws CatalogError for a record that is too long
 */
export function csvRecords(
  text: AsyncIterable<string>,
  problems: Problems,
  delimiter: string,
): AsyncIterable<TableRecord> {
  let lastLine = 0;
  let skippedLine: unknown;
  const parser = parse({
    delimiter,
    relax_column_count: true,
    record_delimiter: '\n',
    skip_empty_lines: true,
    max_record_size: CATALOG_LIMITS.rowBytes,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error === undefined) return;
      const problem = quoteProblem(error, lastLine + 1);
      // After this error csv-parse loses its place.
      if (error.code === 'CSV_MAX_RECORD_SIZE') parser.destroy(problems.fatal(problem));
      else if (error.lines !== skippedLine) problems.add(problem);
      skippedLine = error.lines;
    },
  });
  // csv-parse's own option for line numbers, `info`, doubles its running time.
  const push = parser.push.bind(parser);
  parser.push = (cells: string[] | null) => {
    if (cells === null) return push(null);
    lastLine = parser.info.lines;
    return push({ line: lastLine - newlinesIn(cells), cells } satisfies TableRecord);
  };
  // The pipeline destroys the parser with an error of the source, so that it reaches the reader.
  pipeline(Readable.from(inPieces(text)), parser, () => {});
  return parser as AsyncIterable<TableRecord>;
}

const PIECE_CHARACTERS = 4_096;

/**
 * csv-parse handles all records of a piece at once: with small pieces, few are waiting, and most die young in the
 * garbage collector.
 */
async function* inPieces(text: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const block of text) {
    for (let start = 0; start < block.length; start += PIECE_CHARACTERS) {
      yield block.slice(start, start + PIECE_CHARACTERS);
    }
  }
}

const newlinesIn = (cells: readonly string[]): number =>
  cells.reduce((sum, cell) => sum + (cell.includes('\n') ? cell.split('\n').length - 1 : 0), 0);

/** @param next the line after the last good record, where an unclosed quote must have been opened */
function quoteProblem(error: CsvError, next: number): Parameters<Problems['add']>[0] {
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return { line: next, column: null, expected: 'a closing quote', found: 'the end of the file' };
    case 'CSV_MAX_RECORD_SIZE': {
      const expected = `a row of at most ${CATALOG_LIMITS.rowBytes} bytes`;
      return { line: next, column: null, expected, found: 'more; is a quote not closed?' };
    }
    default: {
      const expected = 'a cell with a quote in it to be quoted, with the quote doubled, as in "a 6"" nail"';
      return { line: Number(error.lines), column: null, expected, found: 'a lone quote' };
    }
  }
}
