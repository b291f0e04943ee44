import type { Metadata } from '../../domain/metadata.ts';
import type { Column } from '../../domain/parameters.ts';
import { quoted } from '../../domain/printable.mjs';
import { CATALOG_LIMITS } from '../catalog-limits.ts';
import type { Problems } from '../problems.ts';
import type { ColumnMap } from './columns.ts';

/** A row as the file has it: trimmed text by column; empty cells are left out. */
export type RawRow = {
  /** The row's first line, counted from 1. */
  line: number;
  values: Partial<Record<Column, string>>;
  metadata: Metadata;
  /** What our columns are called in the file. */
  columns: ColumnMap['known'];
};

/** Neither XML, where prompts are kept with their images, nor UTF-8 has room for these; tab and newlines are fine. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Surrogate}]/u;

/** Sorts a record's cells into ours and metadata; adds a problem for each cell that cannot be text of ours. */
export function toRawRow(line: number, cells: readonly string[], columns: ColumnMap, problems: Problems): RawRow {
  const values: RawRow['values'] = {};
  for (const [column, { position, name }] of columns.known) {
    const text = cells[position]?.trim() ?? '';
    checkCell(text, line, name, problems);
    if (text !== '') values[column] = text;
  }
  const metadata: [string, string][] = [];
  for (const { position, name } of columns.metadata) {
    const text = cells[position]?.trim() ?? '';
    checkCell(text, line, name, problems);
    if (text !== '') metadata.push([name, text]);
  }
  for (const { position } of columns.unnamed) {
    const text = cells[position]?.trim() ?? '';
    if (text === '') continue;
    problems.add({
      line,
      column: `column ${position + 1}`,
      expected: 'a name for the column in the header',
      found: `${quoted(text)}${position === 0 && /^\d+$/.test(text) ? '; the index of a pandas table stays away with index=False' : ''}`,
    });
  }
  return { line, values, metadata: Object.fromEntries(metadata), columns: columns.known };
}

/** Adds a problem unless the text is of bearable length and can be written in UTF-8 and XML. */
export function checkCell(text: string, line: number, column: string, problems: Problems): void {
  if (text.length > CATALOG_LIMITS.cellCharacters) {
    problems.add({
      line,
      column,
      expected: `at most ${CATALOG_LIMITS.cellCharacters} characters`,
      found: `${text.length}`,
    });
  }
  const unwritable = UNWRITABLE.exec(text);
  if (unwritable === null) return;
  const code = unwritable[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  problems.add({
    line,
    column,
    expected: 'text without control characters',
    found: `U+${code} at character ${unwritable.index + 1} of ${quoted(text)}`,
  });
}
