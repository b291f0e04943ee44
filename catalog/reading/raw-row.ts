import type { Metadata } from '../../domain/metadata.ts';
import type { Column } from '../../domain/parameters.ts';
import { quoted } from '../../domain/printable.mjs';
import { CATALOG_LIMITS } from '../catalog-limits.ts';
import type { Problems } from '../problems.ts';
import type { ColumnMap } from './columns.ts';

/** A row as in the file: trimmed text by column, without empty cells. */
export type RawRow = {
  /** The row's first line, counted from 1. */
  line: number;
  values: Partial<Record<Column, string>>;
  metadata: Metadata;
  /** The names of our columns in the file. */
  columns: ColumnMap['known'];
};

/** Characters that XML, which stores prompts in images, or UTF-8 cannot represent; tabs and newlines are fine. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Surrogate}]/u;

/** Sorts a record's cells into our columns and metadata; adds a problem for each invalid cell. */
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
      found: `${quoted(text)}${position === 0 && /^\d+$/.test(text) ? '; with pandas, leave out the index with index=False' : ''}`,
    });
  }
  return { line, values, metadata: Object.fromEntries(metadata), columns: columns.known };
}

/** Adds a problem if the text is too long, or cannot be written in UTF-8 and XML. */
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
