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

/** If commas do not separate cells, a number may contain one. */
const DECIMAL_COMMAS = { decimalCommas: true };

/** How to read a file's rows. */
type Reading = {
  format: CatalogFormat;
  /** Our column → the file's name for it. */
  columns: Readonly<Record<string, string>>;
  /** Sheet of a workbook; default: the first that is not hidden. */
  sheet?: string | undefined;
};

/**
 * Reads a catalog's rows as a stream. Errors in the file's syntax are added to the problems.
 * @param readAs filled in with how the file was read
 * @throws CatalogError if reading cannot continue
 * @throws UserError for a mapping of an unknown column, or in a file without columns, and for a sheet in a file that is
 * not a workbook
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

/** The workbook reader is loaded only when needed. */
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
