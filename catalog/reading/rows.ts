import type { CatalogFormat } from '../../domain/catalog-settings.ts';
import type { Problems } from '../problems.ts';
import { checkMapping } from './columns.ts';
import { csvRecords } from './csv.ts';
import { jsonRows } from './jsonl.ts';
import type { RawRow } from './raw-row.ts';
import { tableRows, tsvRecords } from './table.ts';
import { type ByteSource, readText } from './text.ts';

/**
 * Reads a catalog's rows as a stream. Whatever is wrong with the file's form is added to the problems.
 * @param mapping our column → the file's name for it
 * @throws CatalogError where reading cannot go on
 * @throws UserError for a mapping of a column that is not ours
 */
export function readRows(
  source: ByteSource,
  format: CatalogFormat,
  mapping: Readonly<Record<string, string>>,
  problems: Problems,
): AsyncGenerator<RawRow> {
  checkMapping(mapping);
  const text = readText(source, problems);
  switch (format) {
    case 'csv':
      return tableRows(csvRecords(text, problems), mapping, problems);
    case 'tsv':
      return tableRows(tsvRecords(text), mapping, problems);
    case 'jsonl':
      return jsonRows(text, mapping, problems);
  }
}
