import type { ReadAs } from '../../client/index.ts';
import { named, quoted } from '../../domain/printable.mjs';
import { count } from './text.ts';

/** `read as: CSV with ";", Windows-1252 assumed (as in "Schlüssel")` */
export const readAsText = (readAs: ReadAs): string =>
  `read as: ${readAs.sheet === null ? textFile(readAs) : sheetOf(readAs.sheet, readAs)}`;

/** Whether a file is what its name suggests: UTF-8, and commas in a .csv. */
export const isAsNamed = ({ format, encoding, separator }: ReadAs): boolean =>
  format !== 'xlsx' && (encoding ?? 'UTF-8') === 'UTF-8' && (format !== 'csv' || separator === ',');

const SEPARATORS: Record<string, string> = { ',': 'commas', '\t': 'tabs' };

function textFile({ format, encoding, assumedFor, separator }: ReadAs): string {
  const cells = SEPARATORS[separator ?? ''] ?? `"${separator}"`;
  const what = {
    csv: `CSV with ${cells}`,
    tsv: 'a table with tabs',
    jsonl: 'JSON lines',
    txt: 'a list of prompts',
    xlsx: '',
  };
  const guess =
    assumedFor === null ? '' : ` assumed, as in ${quoted(assumedFor)}; if that is wrong, save the file as "CSV UTF-8"`;
  return `${what[format]}, ${encoding ?? 'UTF-8'}${guess}`;
}

const SHEETS_SHOWN = 10;

function sheetOf(sheet: string, { otherSheets, hiddenRows }: ReadAs): string {
  const shown = otherSheets.slice(0, SHEETS_SHOWN).map(named).join(', ');
  const more = otherSheets.length > SHEETS_SHOWN ? ` and ${otherSheets.length - SHEETS_SHOWN} more` : '';
  return [
    `an Excel workbook, sheet ${named(sheet)}`,
    ...(otherSheets.length === 0 ? [] : [`; --sheet selects another: ${shown}${more}`]),
    ...(hiddenRows === 0
      ? []
      : [`; its ${count(hiddenRows, 'hidden row')} ${hiddenRows === 1 ? 'is' : 'are'} read too`]),
  ].join('');
}
