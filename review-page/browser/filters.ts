import type { SheetHead, SheetRow } from '../format.ts';
import { carriedOf, inOrder, type Named, shortOf, textsOf } from './columns.ts';
import type { Decision } from './decisions-csv.ts';

/** A column to filter by, with all its values. */
export type Column = Named & {
  /** Distinct values with their counts, in order; `null` if there are too many to choose from. */
  values: Map<string, number> | null;
};

/** A column with more distinct values is searched by text. */
export const MAX_CHOICES = 40;

const ORDER = ['status', 'size', 'pixels', 'steps', 'guidance', 'seed'];

/** Columns in which rows differ: those of the job first, then the catalog's other columns. */
export function columnsOf(rows: Iterable<SheetRow>, head: Pick<SheetHead, 'parameters' | 'columns'>): Column[] {
  const short: Named[] = [
    { name: 'status', textOf: (row) => row.status },
    { name: 'pixels', textOf: (row) => `${row.width}×${row.height}` },
    ...shortOf(head),
  ];
  const reason: Named = { name: 'reason', textOf: (row) => row.reason };
  const named = [...inOrder(short, ORDER), ...textsOf(head), reason, ...carriedOf(head)];
  const all = [...rows];
  return named.flatMap((column) => {
    const values = countValues(all, column.textOf);
    if (values.size < 2) return [];
    return [{ ...column, values: values.size > MAX_CHOICES ? null : sorted(values) }];
  });
}

function countValues(rows: SheetRow[], textOf: (row: SheetRow) => string): Map<string, number> {
  const values = new Map<string, number>();
  for (const row of rows) {
    const value = textOf(row);
    values.set(value, (values.get(value) ?? 0) + 1);
  }
  return values;
}

const sorted = (values: Map<string, number>): Map<string, number> =>
  new Map([...values].sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true })));

export type Filter = {
  /** Words that must all occur in the row's id, its texts or the catalog's other columns. */
  text: string;
  decision: Decision | 'undecided' | 'any';
  /** For each column either the chosen value, or text that its value must contain. */
  columns: { column: Column; chosen: string }[];
};

export const NO_FILTER: Filter = { text: '', decision: 'any', columns: [] };

export const isActive = ({ text, decision, columns }: Filter): boolean =>
  text.trim() !== '' || decision !== 'any' || columns.length > 0;

/** @returns a test whether a row and its decision match the filter */
export function matcher(
  { text, decision, columns }: Filter,
  head: Pick<SheetHead, 'parameters'>,
): (row: SheetRow, decided: Decision | null) => boolean {
  const words = folded(text)
    .split(/\s+/)
    .filter((word) => word !== '');
  const texts = textsOf(head);
  const tests = columns.map(({ column, chosen }) => {
    const wanted = folded(chosen);
    return column.values === null
      ? (row: SheetRow) => folded(column.textOf(row)).includes(wanted)
      : (row: SheetRow) => column.textOf(row) === chosen;
  });
  return (row, decided) =>
    (decision === 'any' || (decided ?? 'undecided') === decision) &&
    tests.every((test) => test(row)) &&
    (words.length === 0 || hasWords(row, words, texts));
}

function hasWords(row: SheetRow, words: string[], texts: Named[]): boolean {
  const text = searchable.get(row) ?? searchableOf(row, texts);
  return words.every((word) => text.includes(word));
}

/** Cached, because every keystroke in the search looks through all rows; a page's texts never change while it is open. */
const searchable = new WeakMap<SheetRow, string>();

function searchableOf(row: SheetRow, texts: Named[]): string {
  const own = texts.map(({ textOf }) => textOf(row));
  const text = folded([row.id, row.prompt, ...own, row.reason, ...row.values].join('\n'));
  searchable.set(row, text);
  return text;
}

/** Folds text for searching: "Zoe" and "zoë" find "Zoë". Other scripts keep their marks, which make a different letter there. */
export const folded = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .toLowerCase();
