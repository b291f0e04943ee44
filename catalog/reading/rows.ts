import { buffer } from 'node:stream/consumers';
import type { CatalogFormat } from '../../domain/catalog-settings.ts';
import { UserError } from '../../domain/user-error.ts';
import type { Problems } from '../problems.ts';
import { type ByteSource, slices } from './bytes.ts';
import { checkMapping, hasPrompt } from './columns.ts';
import { csvRecords } from './csv.ts';
import { jsonRows } from './jsonl.ts';
import { promptRows } from './prompt-list.ts';
import type { RawRow } from './raw-row.ts';
import type { ReadAs } from './read-as.ts';
import { findSeparator } from './separator.ts';
import { tableRows } from './table.ts';
import { readText } from './text.ts';
import { tsvRecords } from './tsv.ts';

/** Where commas do not separate cells, a number may have one. */
const DECIMAL_COMMAS = { decimalCommas: true };

/** How a file's rows are to be read. */
export type Reading = {
  format: CatalogFormat;
  /** Our column → the file's name for it. */
  columns: Readonly<Record<string, string>>;
  /** Name of a workbook's sheet; the first that is not hidden where none is named. */
  sheet?: string | undefined;
};

/**
 * Reads a catalog's rows as a stream. Whatever is wrong with the file's form is added to the problems.
 * @param readAs is told what the file was taken for
 * @throws CatalogError where reading cannot go on
 * @throws UserError for a mapping of a column that is not ours, or in a file without columns, and for a sheet of what is no workbook
 */
export function readRows(
  source: ByteSource,
  { format, columns: mapping, sheet }: Reading,
  problems: Problems,
  readAs: ReadAs,
): AsyncGenerator<RawRow> {
  checkMapping(mapping);
  if (format === 'txt' && Object.keys(mapping).length > 0) {
    throw new UserError('column mapping: expected none for a list of prompts (.txt), which has no columns');
  }
  if (format === 'xlsx') return workbookRows(source, mapping, sheet, problems, readAs);
  if (sheet !== undefined) throw new UserError(`sheet: expected none for a .${format}, which has no sheets`);
  const text = readText(source, problems, readAs);
  switch (format) {
    case 'csv':
      return separatedRows(text, mapping, problems, readAs);
    case 'tsv':
      readAs.separator = '\t';
      return tableRows(tsvRecords(text, problems), mapping, problems, DECIMAL_COMMAS);
    case 'jsonl':
      return jsonRows(text, mapping, problems);
    case 'txt':
      return promptRows(text, problems);
  }
}

async function* separatedRows(
  text: AsyncIterable<string>,
  mapping: Readonly<Record<string, string>>,
  problems: Problems,
  readAs: ReadAs,
): AsyncGenerator<RawRow> {
  const { separator, text: table } = await findSeparator(text, hasPrompt(mapping));
  readAs.separator = separator;
  const records = csvRecords(table, problems, separator);
  yield* tableRows(records, mapping, problems, separator === ',' ? {} : DECIMAL_COMMAS);
}

/** What workbooks are read with is loaded where there is one. */
async function* workbookRows(
  source: ByteSource,
  mapping: Readonly<Record<string, string>>,
  sheet: string | undefined,
  problems: Problems,
  readAs: ReadAs,
): AsyncGenerator<RawRow> {
  const { workbookRecords } = await import('../workbook/records.ts');
  const bytes = await buffer(slices(source, problems));
  yield* tableRows(workbookRecords(bytes, sheet, problems, readAs), mapping, problems, DECIMAL_COMMAS);
}
