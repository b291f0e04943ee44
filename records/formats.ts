import { stringify } from 'csv-stringify/sync';
import type { z } from 'zod';
import { runsOf, TURN_BYTES, TURN_CELLS, Turns } from '../domain/turns.ts';
import { parseRecord, type RecordFile } from './damaged.ts';

const NEWLINE = 0x0a;

/** JSON Lines (https://jsonlines.org): a value a line. */
export const toJsonLines = (values: readonly unknown[]): Uint8Array =>
  Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));

/** The same in pieces, each one turn's work; a whole night's table is too long for one string. */
export function* jsonLinePieces<T>(values: Iterable<T>, cellsOf: (value: T) => number): Generator<Uint8Array> {
  for (const run of runsOf(values, cellsOf, TURN_CELLS)) yield toJsonLines(run);
}

/**
 * Reads JSON Lines, skipping empty lines. Decodes line by line, because a night's table is too long for one string.
 *
 * @throws DamagedRecord if a line does not match the schema
 */
export async function parseJsonLines<T>(bytes: Uint8Array, schema: z.ZodType<T>, file: RecordFile): Promise<T[]> {
  const values: T[] = [];
  const turns = new Turns(TURN_BYTES);
  let line = 0;
  for (let start = 0; start < bytes.length; ) {
    line += 1;
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    if (end > start) values.push(parseRecord(bytes.subarray(start, end), schema, file, line));
    await turns.after(end + 1 - start);
    start = end + 1;
  }
  return values;
}

/** Where a spreadsheet that separates cells by semicolons or tabs, and so ignores our quotes, would see a formula begin. */
const FORMULA_WITHIN = /[;\t\r\n](?="*[=+\-@\uff1d\uff0b\uff0d\uff20])/gu;

/**
 * A text as it is written into a table: with an apostrophe before each formula that would begin within it. One at its very
 * beginning gets its apostrophe from the writer.
 */
export const safeWithin = (text: string): string => text.replace(FORMULA_WITHIN, "$&'");

/**
 * Lines of a table for a spreadsheet (RFC 4180, UTF-8). Text that a spreadsheet would run as a formula gets an apostrophe
 * in front (https://owasp.org/www-community/attacks/CSV_Injection), even if it separates cells by semicolons, as Excel does
 * where decimals have commas; every text is in quotes.
 *
 * @param bom whether to start with the byte-order mark that Excel needs, for the file's first lines
 */
export const safeCsv = (cells: unknown[][], { bom = false } = {}): Uint8Array =>
  Buffer.from(
    stringify(cells, {
      escape_formulas: true,
      quoted_string: true,
      record_delimiter: '\r\n',
      bom,
      cast: { boolean: String, string: safeWithin },
    }),
  );
