import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { hasText } from '../../records/catalog-text.ts';

const workbook = readFileSync(new URL('../catalog/workbook/fixtures/libreoffice.xlsx', import.meta.url));

it('a text is found on any sheet of a workbook, although the file is compressed', async () => {
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

const csv = 'id,prompt\n1,"ein ""goldener"" Schlüssel für Zoë"\n';

it.each([
  ['UTF-16BE with a mark', 'csv', Buffer.from(`\ufeff${csv}`, 'utf16le').swap16()],
  ['UTF-16BE without its last byte', 'csv', Buffer.from(csv, 'utf16le').swap16().subarray(0, -1)],
  ['decomposed letters', 'csv', Buffer.from(csv.normalize('NFD'))],
  ['decomposed letters in UTF-16BE', 'csv', Buffer.from(csv.normalize('NFD'), 'utf16le').swap16()],
  [
    'JSON Lines with escapes',
    'jsonl',
    Buffer.from('{"prompt": "ein \\"goldener\\" Schl\\u00fcssel f\\u00FCr Zoe\\u0308"}\n'),
  ],
])('a text is found in %s', async (_, ending, bytes) => {
  const has = (value: RegExp) => hasText(`corrected-1.${ending}`, bytes, [value]);
  expect(await has(/(?<![\p{L}\p{N}])Zoë(?![\p{L}\p{N}])/u)).toBe(true);
  expect(await has(/ein "goldener" Schlüssel/u)).toBe(true);
  expect(await has(/Zo[aá]|goldener Schlüssel/u)).toBe(false);
});

it('letters after an escaped line break in JSON start a word, and escaped surrogate pairs are one character', async () => {
  const bytes = Buffer.from('{"prompt": "for\\nZoe and \\ud83e\\udd8a"}\n');
  expect(await hasText('corrected-1.jsonl', bytes, [/(?<![\p{L}])Zoe/u])).toBe(true);
  expect(await hasText('corrected-1.jsonl', bytes, [/🦊/u])).toBe(true);
});
