import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { hasText } from '../../records/catalog-text.ts';

const workbook = readFileSync(new URL('../catalog/workbook/fixtures/libreoffice.xlsx', import.meta.url));

it('a text is found in a workbook, on whatever sheet, although the file is packed', async () => {
  expect(workbook.includes('fox of the second')).toBe(false);
  expect(await hasText('corrected-1.xlsx', workbook, [/no such/, /fox of the second/])).toBe(true);
  expect(await hasText('corrected-1.xlsx', workbook, [/fox of the third/])).toBe(false);
  expect(await hasText('corrected-1.xlsx', workbook.subarray(0, 500), [/fox/])).toBe(true);
});

it.each(['utf8', 'utf16le', 'latin1'] as const)('a text is found in a table in %s', async (encoding) => {
  const bytes = Buffer.from('prompt\nein Schlüssel\n', encoding);
  expect(await hasText('corrected-1.csv', bytes, [/Schlüssel/])).toBe(true);
  expect(await hasText('corrected-1.csv', bytes, [/Schlussel/])).toBe(false);
});
