import type { Problems } from '../problems.ts';
import { csvRecords } from './csv.ts';
import { withoutSepLine } from './separator.ts';
import type { TableRecord } from './table.ts';
import { readLines } from './text.ts';

/**
 * Splits a table at its tabs. Published tables have no quoting, a quote is a quote and a line is a record; spreadsheets put cells in
 * quotes and double those inside. Which it is only the whole table tells.
 */
export async function* tsvRecords(text: AsyncIterable<string>, problems: Problems): AsyncGenerator<TableRecord> {
  const blocks: string[] = [];
  for await (const block of text) blocks.push(blocks.length === 0 ? withoutSepLine(block) : block);
  if (isQuotedTable(blocks)) yield* csvRecords(iterate(blocks), problems, '\t');
  else for await (const { line, text: record } of readLines(iterate(blocks))) yield { line, cells: record.split('\t') };
}

const CELL = /(?:"([^"]*(?:""[^"]*)*)"|([^"\t\n]*))(?:\t|\n|$)/y;

/** What a spreadsheet puts a cell into quotes for. */
const NEEDS_QUOTES = /[",;\t\n]/;

/** A number, date, time or truth value, which spreadsheets leave without quotes where they put all texts in them. */
const isNoText = (text: string): boolean => /^(?:[-+\d.,:/%\s€$£]*|\d[\dT:.Z-]*|true|false)$/i.test(text);

/**
 * Whether all quotes of a table are those of quoting: each either begins or ends a cell, or is doubled in such a one. Cells must be in
 * quotes for a reason, for which Excel, LibreOffice and pandas put them there, or all texts of the table.
 *
 * Seen: Excel quotes for a comma, a quote and a line break also where tabs separate; Google Sheets writes no quotes but those of cells.
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
    // Two quotes that have nothing to do with each other, in other rows.
    else if (quoted.includes('\t') && quoted.includes('\n')) return false;
    else hasReason ||= NEEDS_QUOTES.test(quoted);
  }
  return hasReason || allQuoted;
}

async function* iterate(blocks: readonly string[]): AsyncGenerator<string> {
  yield* blocks;
}
