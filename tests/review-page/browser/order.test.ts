import { expect, test } from 'vitest';
import { ordered, ordersOf } from '../../../review-page/browser/order.ts';
import type { SheetRow } from '../../../review-page/format.ts';
import { SHEET_PARAMETERS } from '../../../review-page/index.ts';
import { sheetRowOf } from '../sample-row.ts';

const head = { parameters: SHEET_PARAMETERS, columns: ['score'] };

/** In the order of the pieces: by size. */
const rows: SheetRow[] = [
  sheetRowOf({ id: 'fox-10', line: 2, values: ['3'] }),
  sheetRowOf({ id: 'fox-2', line: 2, values: ['20'] }),
  sheetRowOf({ id: 'owl', line: 9, values: [''] }),
  sheetRowOf({ id: 'hare', line: 4, values: ['20'] }),
];

const idsBy = (name: string | null, isDescending = false) => {
  const by = ordersOf(head).find((order) => order.name === name) ?? null;
  return ordered(rows.entries(), { by, isDescending }).map((index) => rows[index]!.id);
};

test('rows are in the order of the catalog, variants of a row in their own order', () => {
  expect(idsBy(null)).toEqual(['fox-10', 'fox-2', 'hare', 'owl']);
  expect(idsBy(null, true)).toEqual(['owl', 'hare', 'fox-2', 'fox-10']);
});

test('numbers in texts count as numbers', () => {
  expect(idsBy('id')).toEqual(['fox-2', 'fox-10', 'hare', 'owl']);
});

test('equal values keep the order of the catalog, and rows without one come last either way', () => {
  expect(idsBy('score')).toEqual(['fox-10', 'fox-2', 'hare', 'owl']);
  expect(idsBy('score', true)).toEqual(['fox-2', 'hare', 'fox-10', 'owl']);
});
