import type { SheetHead, SheetRow } from '../format.ts';
import { carriedOf, type Named, shortOf, textsOf } from './columns.ts';

/** The order of rows; `by` is `null` for that of the catalog. */
export type Order = { by: Named | null; isDescending: boolean };

export const CATALOG_ORDER: Order = { by: null, isDescending: false };

/** What rows can be ordered by, apart from the catalog's order. */
export const ordersOf = (head: Pick<SheetHead, 'parameters' | 'columns'>): Named[] => [
  { name: 'id', textOf: (row) => row.id },
  { name: 'prompt', textOf: (row) => row.prompt },
  { name: 'status', textOf: (row) => row.status },
  ...shortOf(head),
  ...textsOf(head),
  ...carriedOf(head),
];

const collator = new Intl.Collator(undefined, { numeric: true });

/** The rows' indices in this order. Rows with equal values stay in the catalog's order, those without a value come last. */
export function ordered(rows: Iterable<[index: number, row: SheetRow]>, { by, isDescending }: Order): number[] {
  const keyed = Array.from(rows, ([index, row]) => ({ index, line: row.line, text: by?.textOf(row) ?? '' }));
  const sign = isDescending ? -1 : 1;
  keyed.sort((a, b) => {
    const lines = a.line - b.line || a.index - b.index;
    if (by === null) return sign * lines;
    if (a.text === '' || b.text === '') return Number(a.text === '') - Number(b.text === '') || lines;
    return sign * collator.compare(a.text, b.text) || lines;
  });
  return keyed.map(({ index }) => index);
}
