import type { Problems } from '../problems.ts';
import { csvRecords } from './csv.ts';
import { withoutSepLine } from './separator.ts';
import type { TableRecord } from './table.ts';
import { readLines } from './text.ts';

/**
 * Splits a table at its tabs. Published tables have no quoting: a quote is just a quote, and a line is a record. Spreadsheets
 * quote cells and double the quotes inside. Only the whole table shows which it is.
 */
export async function* tsvRecords(text: AsyncIterable<string>, problems: Problems): AsyncGenerator<TableRecord> {
  const blocks: string[] = [];
  for await (const block of text) blocks.push(blocks.length === 0 ? withoutSepLine(block) : block);
  if (isQuotedTable(blocks)) yield* csvRecords(iterate(blocks), problems, '\t');
  else for await (const { line, text: record } of readLines(iterate(blocks))) yield { line, cells: record.split('\t') };
}

const CELL = /(?:"([^"]*(?:""[^"]*)*)"|([^"\t\n]*))(?:\t|\n|$)/y;

/** Characters that make a spreadsheet quote a cell. */
const NEEDS_QUOTES = /[",;\t\n]/;

/** A number, date, time or boolean, which spreadsheets leave unquoted even if they quote all texts. */
const isNoText = (text: string): boolean => /^(?:[-+\d.,:/%\s€$£]*|\d[\dT:.Z-]*|true|false)$/i.test(text);

/**
 * Whether a table uses quoting: every quote either begins or ends a cell, or is doubled inside a quoted one; and either some
 * cell needs its quotes, by the rules of Excel, LibreOffice and pandas, or all texts are quoted.
 *
 * Seen: Excel quotes commas, quotes and line breaks even with tabs as separators; Google Sheets adds no quotes at all.
 */
function isQuotedTable(blocks: readonly string[]): boolean {
  if (!blocks.some((block) => block.includes('"'))) return false;
  const text = blocks.join('');
  let [hasReason, allQuoted] = [false, true];
  for (CELL.lastIndex = 0; CELL.lastIndex < text.length; ) {
    const cell = CELL.exec(text);
    if (cell === null) return false;
    const [, quoted, plain = ''] = cell;
    if (quoted === undefined) allQuoted &&= isNoText(plain);
    // Two unrelated quotes, in different rows.
    else if (quoted.includes('\t') && quoted.includes('\n')) return false;
    else hasReason ||= NEEDS_QUOTES.test(quoted);
  }
  return hasReason || allQuoted;
}

async function* iterate(blocks: readonly string[]): AsyncGenerator<string> {
  yield* blocks;
}
