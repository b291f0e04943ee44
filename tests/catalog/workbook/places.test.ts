import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lettersOf, positionOf, sheetText } from '../../../catalog/workbook/places.ts';

it('converts columns to letters and back, up to the last column of a sheet', () => {
  const edges = [0, 25, 26, 701, 702, 16_383].map(lettersOf);
  expect(edges).toEqual(['A', 'Z', 'AA', 'ZZ', 'AAA', 'XFD']);
  fc.assert(
    fc.property(fc.nat(16_383), fc.integer({ min: 1, max: 1_048_576 }), (position, line) => {
      expect(positionOf(`${lettersOf(position)}${line}`)).toBe(position);
    }),
  );
});

it.each(['', 'A', '7', 'a1', 'XFE1', 'AAAA1', 'A1B', '$A$1'])('%j is not a cell reference', (reference) => {
  expect(positionOf(reference)).toBeNull();
});

it.each([
  ['Sheet1', 'Sheet1'],
  ['Übersicht_2', 'Übersicht_2'],
  ['Icons & Tiles', "'Icons & Tiles'"],
  ["Zoë's", "'Zoë''s'"],
  ['2026', "'2026'"],
])('sheet %s is written before a cell as %s', (name, text) => {
  expect(sheetText(name)).toBe(text);
});
