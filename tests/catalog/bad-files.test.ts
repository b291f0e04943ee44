import { describe, expect, it } from 'vitest';
import { CATALOG_LIMITS } from '../../catalog/catalog-limits.ts';
import { Problems } from '../../catalog/problems.ts';
import { newReadAs } from '../../catalog/reading/read-as.ts';
import { readText } from '../../catalog/reading/text.ts';
import { problemsOf } from './planning.ts';

describe('an invalid header', () => {
  it('has no prompt column', async () => {
    expect(await problemsOf('id,Caption\na,apple\n')).toEqual([
      'line 1, prompt: expected a column "prompt"; map another with --column prompt=<name>, found the columns "id", "Caption"; is it --column prompt=Caption?',
    ]);
  });

  it('has no prompt column, and semicolons between its columns', async () => {
    expect(await problemsOf('Artikelnr;Bezeichnung;Preis\nA-1;Apfel, rot;4,5\n')).toEqual([
      expect.stringContaining('found the columns "Artikelnr", "Bezeichnung", "Preis"'),
    ]);
  });

  it('has other separators than its file name suggests', async () => {
    expect(await problemsOf('id;prompt\na;apple\n', { format: 'tsv' })).toEqual([
      expect.stringContaining('the column "id;prompt"; are cells separated by ";"?'),
    ]);
  });

  it('has a column twice', async () => {
    expect(await problemsOf('prompt,Prompt,team,team\na,b,c,d\n')).toEqual([
      'line 1, prompt: expected one such column, found 2: "prompt", "Prompt"',
      'line 1, team: expected one column of that name, found two',
    ]);
  });

  it('lacks a mapped column', async () => {
    expect(await problemsOf('prompt,b\nx,y\n', { columns: { seed: 'Seed No' } })).toEqual([
      'line 1, seed: expected a column "Seed No", as mapped, found the columns "prompt", "b"',
    ]);
  });

  it('has too many columns', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `c${i}`).join(',');
    expect(await problemsOf(`prompt,${names}\n`)).toEqual(['line 1: expected at most 200 columns, found 201']);
  });

  it('lacks the prompt in a row of JSONL', async () => {
    expect(await problemsOf('{"prompt":"a"}\n{"Text":"b"}\n{}\n', { format: 'jsonl' })).toEqual([
      expect.stringMatching(
        /^line 2, prompt: expected a column "prompt".*found the column "Text"; is it --column prompt=Text\?$/,
      ),
      expect.stringMatching(/^line 3, prompt: expected a column "prompt".*found no columns$/),
    ]);
  });
});

describe('an invalid file', () => {
  it.each([
    ['csv', ''],
    ['tsv', '\n\n'],
    ['jsonl', ''],
    ['csv', 'id,prompt\n'],
    ['csv', '\ufeff'],
  ] as const)('has no rows: %s %j', async (format, text) => {
    expect(await problemsOf(text, { format })).toEqual(['expected at least one row with a prompt, found none']);
  });

  it('is UTF-8 except for some lines: each is reported, together with all other problems', async () => {
    const bytes = Buffer.concat([
      Buffer.from('prompt,seed\nun caf\xe9,1\nthe,-1\nna\xefve,2\n', 'latin1'),
      Buffer.from('en \u00e9t\u00e9,3\n'),
    ]);
    expect(await problemsOf(bytes)).toEqual([
      'line 2: expected text in UTF-8 (save it as "CSV UTF-8"), found other bytes at the \ufffd in "un caf\ufffd,1"',
      'line 3, seed: expected a whole number from 0 to 4294967295, found "-1"; leave it empty for a seed from the prompt, or use --seeds fresh for a new one in every batch',
      'line 4: expected text in UTF-8 (save it as "CSV UTF-8"), found other bytes at the \ufffd in "na\ufffdve,2"',
    ]);
  });

  it('breaks off inside a character', async () => {
    const bytes = Buffer.from('prompt\nen \u00e9t\u00e9\na caf\u00e9').subarray(0, -1);
    expect(await problemsOf(bytes)).toEqual([
      'line 3: expected text in UTF-8 (save it as "CSV UTF-8"), found other bytes at the \ufffd in "a caf\ufffd"',
    ]);
  });

  it('has a UTF-16 mark but is not UTF-16', async () => {
    const expected = 'expected text in UTF-16, as the first two bytes say, or in UTF-8, found other bytes';
    expect(await problemsOf(Buffer.from([0xff, 0xfe, 0x61, 0x00, 0x62]))).toEqual([expected]);
    expect(await problemsOf(Buffer.from('\ufeffprompt\n\ud83c\n', 'utf16le'))).toEqual([expected]);
  });

  it('is a workbook', async () => {
    expect(await problemsOf(Buffer.from('PK\u0003\u0004\u0014\u0000'))).toEqual([
      'expected text, found a workbook or another archive; read an Excel workbook with --catalog-format xlsx, and save others (.ods, .numbers) as "CSV UTF-8"',
    ]);
  });

  it('has unbalanced quotes', async () => {
    expect(await problemsOf('prompt\napple\n"a pear\n\nplum\n')).toEqual([
      'line 3: expected a closing quote, found the end of the file',
    ]);
    const lone =
      'expected a cell with a quote in it to be quoted, with the quote doubled, as in "a 6"" nail", found a lone quote';
    expect(await problemsOf('prompt,size\na 6" nail,\n"a\npear",640\n"a "b" c",512\n')).toEqual([
      `line 2: ${lone}`,
      'line 3, size: expected one of 256, 512, 1024, 2k, 4k, found "640"',
      `line 5: ${lone}`,
    ]);
    expect(await problemsOf(`prompt\n"a pear\n${'plum\n'.repeat(60_000)}`)).toEqual([
      'line 2: expected a row of at most 262144 bytes, found more; is a quote not closed?',
    ]);
  });

  it('has a line that never ends', async () => {
    for (const format of ['csv', 'tsv', 'jsonl'] as const) {
      expect(await problemsOf(`prompt\n${'x'.repeat(400_000)}`, { format })).toContainEqual(
        'line 2: expected a line of at most 262144 bytes, found more',
      );
    }
  });

  it('is larger than memory should hold', async () => {
    const chunk = Buffer.from(`${' '.repeat(2 ** 16 - 1)}\n`);
    const chunks = function* () {
      for (let bytes = 0; bytes <= CATALOG_LIMITS.bytes; bytes += chunk.length) yield chunk;
    };
    const read = async () => {
      for await (const text of readText(chunks(), new Problems('catalog.tsv'), newReadAs('tsv')))
        expect(text).toBeTruthy();
    };
    await expect(read()).rejects.toThrow('expected at most 268435456 bytes, found more');
  });
});
