import { stringify } from 'csv-stringify/sync';

/**
 * Lines of a table for a spreadsheet (RFC 4180, UTF-8). A cell that would be taken for a formula gets an apostrophe in front
 * (https://owasp.org/www-community/attacks/CSV_Injection); every text is in quotes.
 *
 * @param bom whether these lines begin the file, with the byte-order mark that Excel wants
 */
export const safeCsv = (cells: unknown[][], { bom = false } = {}): Uint8Array =>
  Buffer.from(stringify(cells, { escape_formulas: true, quoted_string: true, record_delimiter: '\r\n', bom }));
