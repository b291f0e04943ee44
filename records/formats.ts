import { stringify } from 'csv-stringify/sync';
import type { z } from 'zod';

const NEWLINE = 0x0a;

/** JSON Lines (https://jsonlines.org): a value a line. */
export const toJsonLines = (values: readonly unknown[]): Uint8Array =>
  Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));

/**
 * Reads JSON Lines; empty lines are passed over. Decoded line by line, because a night's table is too long for one string.
 *
 * @throws z.ZodError or SyntaxError where a line is not of the schema
 */
export function parseJsonLines<T>(bytes: Uint8Array, schema: z.ZodType<T>): T[] {
  const values: T[] = [];
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    if (end > start) values.push(schema.parse(JSON.parse(Buffer.from(bytes.subarray(start, end)).toString('utf8'))));
    start = end + 1;
  }
  return values;
}

/**
 * Lines of a table for a spreadsheet (RFC 4180, UTF-8). A cell that would be taken for a formula gets an apostrophe in front
 * (https://owasp.org/www-community/attacks/CSV_Injection); every text is in quotes.
 *
 * @param bom whether these lines begin the file, with the byte-order mark that Excel wants
 */
export const safeCsv = (cells: unknown[][], { bom = false } = {}): Uint8Array =>
  Buffer.from(stringify(cells, { escape_formulas: true, quoted_string: true, record_delimiter: '\r\n', bom }));
