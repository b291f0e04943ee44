import type { CatalogFormat } from '../../domain/catalog-settings.ts';
import { UserError } from '../../domain/user-error.ts';
import type { Problems } from '../problems.ts';
import type { ByteSource } from './bytes.ts';
import { checkMapping, hasPrompt } from './columns.ts';
import { csvRecords } from './csv.ts';
import { jsonRows } from './jsonl.ts';
import { promptRows } from './prompt-list.ts';
import type { RawRow } from './raw-row.ts';
import { findSeparator } from './separator.ts';
import { tableRows } from './table.ts';
import { readText } from './text.ts';
import { tsvRecords } from './tsv.ts';

/** Where cells are not separated by commas, a number may have one. */
const DECIMAL_COMMAS = { decimalCommas: true };

/**
 * Reads a catalog's rows as a stream. Whatever is wrong with the file's form is added to the problems.
 * @param mapping our column → the file's name for it
 * @throws CatalogError where reading cannot go on
 * @throws UserError for a mapping of a column that is not ours, or in a file without columns
 */
export function readRows(
  source: ByteSource,
  format: CatalogFormat,
  mapping: Readonly<Record<string, string>>,
  problems: Problems,
): AsyncGenerator<RawRow> {
  checkMapping(mapping);
  if (format === 'txt' && Object.keys(mapping).length > 0) {
    throw new UserError('column mapping: expected none for a list of prompts (.txt), which has no columns');
  }
  const text = readText(source, problems);
  switch (format) {
    case 'csv':
      return separatedRows(text, mapping, problems);
    case 'tsv':
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
): AsyncGenerator<RawRow> {
  const { separator, text: table } = await findSeparator(text, hasPrompt(mapping));
  const records = csvRecords(table, problems, separator);
  yield* tableRows(records, mapping, problems, separator === ',' ? {} : DECIMAL_COMMAS);
}
