import { describe, expect, it } from 'vitest';
import { CATALOG_LIMITS } from '../../catalog/catalog-limits.ts';
import { Problems } from '../../catalog/problems.ts';
import { newReadAs } from '../../catalog/reading/read-as.ts';
import { readText } from '../../catalog/reading/text.ts';
import { ID_RULE } from '../../domain/job-id.ts';
import { COLUMNS } from '../../domain/parameters.ts';
import { UserError } from '../../domain/user-error.ts';
import { expanding } from './expansion/expanding.ts';
import { errorOf, options, plan, problemsOf } from './planning.ts';

describe('an invalid cell', () => {
  it.each([
    ['size', '640', 'one of 256, 512, 1024, 2k, 4k'],
    ['aspect', 'wide', 'a ratio of width to height from 1:4 to 4:1, such as "16:9" or "1.5"'],
    ['aspect', '0:1', 'a ratio of width to height from 1:4 to 4:1, such as "16:9" or "1.5"'],
    ['aspect', '1:0', 'a ratio of width to height from 1:4 to 4:1, such as "16:9" or "1.5"'],
    ['aspect', '4.1', 'a ratio of width to height from 1:4 to 4:1, such as "16:9" or "1.5"'],
    ['seed', '4294967296', 'a whole number from 0 to 4294967295'],
    ['seed', '1.5', 'a whole number from 0 to 4294967295'],
    ['steps', '0', 'a whole number from 1 to 200'],
    ['guidance', '0.9', 'a number from 1 to 30'],
    ['guidance', '4,5', 'a number from 1 to 30'],
    ['guidance', 'NaN', 'a number from 1 to 30'],
    ['variants', '0', 'a whole number from 1 to 1000'],
    ['variants', '1000000000', 'a whole number from 1 to 1000'],
    ['priority', 'high', 'a whole number from 1 to 5'],
    ['id', '../../x', ID_RULE],
    ['id', 'a b', `${ID_RULE}; a space is none of these`],
    ['id', '.hidden', ID_RULE],
    [
      'id',
      'folder/nul',
      'an id that every system accepts as a file name (this is a part that is a device name on Windows)',
    ],
  ])('is a problem of its line and column: %s %s', async (column, cell, expected) => {
    expect(await problemsOf(`prompt,${column}\npear,\napple,"${cell}"\n`)).toEqual([
      `line 3, ${column}: expected ${expected}, found ${JSON.stringify(cell)}`,
    ]);
  });

  it.each(['-1', '-1.0', 'random'])('is the seed %s, which means a random one in other tools', async (seed) => {
    expect(await problemsOf(`prompt,seed\napple,${seed}\n`)).toEqual([
      `line 2, seed: expected a whole number from 0 to 4294967295, found "${seed}"; leave it empty for a seed from the prompt, or use --seeds fresh for a new one in every batch`,
    ]);
  });

  it('is a size in pixels', async () => {
    expect(await problemsOf('prompt,size\napple,512x512\n')).toEqual([
      'line 2, size: expected one of 256, 512, 1024, 2k, 4k, found "512x512"; for pixels, use width and height',
    ]);
  });

  it('is a number with an ambiguous separator', async () => {
    expect(await problemsOf('prompt;seed\napple;2.000\n')).toEqual([
      'line 2, seed: expected a whole number from 0 to 4294967295, found "2.000"',
    ]);
  });

  it('is a width of 1e9, however it is written', async () => {
    const rows = '{"prompt":"apple","width":1e9,"height":512}\n{"prompt":"apple","width":"1e9","height":512}\n';
    expect(await problemsOf(rows, { format: 'jsonl' })).toEqual([
      'line 1, width: expected a whole number from 16 to 16384, found "1000000000"',
      'line 2, width: expected a whole number from 16 to 16384, found "1e9"',
    ]);
  });

  it('is a shape far from any bin', async () => {
    expect(await problemsOf('prompt,width,height\napple,970,90\n')).toEqual([
      'line 2, height: expected a height between a quarter of the width and four times the width, found "90"',
    ]);
  });

  it('is half a shape, or one given twice', async () => {
    expect(await problemsOf('prompt,aspect,width,height\na,,640,\nb,,,640\nc,1:1,640,640\n')).toEqual([
      'line 2, height: expected a height with the width, found nothing',
      'line 3, width: expected a width with the height, found nothing',
      'line 4, aspect: expected either aspect or width and height, found "1:1"',
    ]);
  });

  it('has characters that UTF-8 or XML cannot represent', async () => {
    expect(await problemsOf('prompt\n"an \0apple"\n')).toEqual([
      'line 2, prompt: expected text without control characters, found U+0000 at character 4 of "an \\u0000apple"',
    ]);
    expect(await problemsOf('{"prompt":"a\\ud83c"}\n', { format: 'jsonl' })).toEqual([
      'line 1, prompt: expected text without control characters, found U+D83C at character 2 of "a\\ud83c"',
    ]);
  });

  it('is too long', async () => {
    const long = 'x'.repeat(CATALOG_LIMITS.cellCharacters + 1);
    expect(await problemsOf(`prompt\n${long}\n`)).toEqual([
      'line 2, prompt: expected at most 20000 characters, found 20001',
    ]);
  });
});

describe('an invalid row', () => {
  it('has no prompt', async () => {
    expect(await problemsOf('id,prompt\na,\nb,"  "\n')).toEqual([
      'line 2, prompt: expected a prompt, found nothing',
      'line 3, prompt: expected a prompt, found nothing',
    ]);
  });

  it("has another row's id, ignoring case", async () => {
    expect(await problemsOf('id,prompt\nhero,a\nother,b\nHero,c\nhero,d\n')).toEqual([
      'line 4, id: expected an id that no other row has, found "Hero", already used in line 2',
      'line 5, id: expected an id that no other row has, found "hero", already used in line 2',
    ]);
  });

  it.each([
    ['the first of them has variants', 'fox,a fox,4\nowl,an owl,\nFox,a red fox,\n'],
    ['the second has variants', 'fox,a fox,\nowl,an owl,\nFox,a red fox,4\n'],
    ['both have variants', 'fox,a fox,2\nowl,an owl,\nFox,a red fox,4\n'],
    ['the first has choices', 'fox,a {red|grey} fox,\nowl,an owl,\nFox,a fox,\n'],
    ['both have different choices', 'fox,a {red|grey} fox,\nowl,an owl,\nFox,a {blue|green} fox,\n'],
  ])("has another row's id although their images have different ones: %s", async (_, rows) => {
    for (const naming of [undefined, '{id}.{ext}']) {
      expect(await problemsOf(`id,prompt,variants\n${rows}`, { ...expanding(), naming })).toEqual([
        'line 4, id: expected an id that no other row has, found "Fox", already used in line 2',
      ]);
    }
  });

  it('has fewer or more cells than the header', async () => {
    expect(await problemsOf('id,prompt\na\nb,pear,more\n')).toEqual([
      'line 2: expected 2 cells, as in the header, found 1',
      'line 3: expected 2 cells, as in the header, found 3',
    ]);
  });

  it('has a cell in a column without a name', async () => {
    expect(await problemsOf('prompt,\napple,\npear,shop\n')).toEqual([
      'line 3, column 2: expected a name for the column in the header, found "shop"',
    ]);
  });

  it('is JSON but not an object, or not JSON', async () => {
    expect(await problemsOf('"apple"\n["apple"]\nnull\n{"prompt":\n{"prompt":"apple"}\n', { format: 'jsonl' })).toEqual(
      [
        'line 1: expected one JSON object, found "\\"apple\\""',
        'line 2: expected one JSON object per line, without a list around them, found "[\\"apple\\"]"',
        'line 3: expected one JSON object, found "null"',
        'line 4: expected one JSON object, found "{\\"prompt\\":"',
      ],
    );
  });

  it('has a number or a list where JSON should have text', async () => {
    const rows = '{"prompt":["apple"]}\n{"prompt":true}\n{"prompt":"apple","negative_prompt":7}\n{"prompt":null}\n';
    expect(await problemsOf(rows, { format: 'jsonl' })).toEqual([
      'line 1, prompt: expected text, found ["apple"]',
      'line 2, prompt: expected text, found true',
      'line 3, negative_prompt: expected text, found 7',
      'line 4, prompt: expected a prompt, found nothing',
    ]);
  });

  it('has a JSON number that would be rounded, in any column or in a list', async () => {
    const rows =
      '{"prompt":"apple","id":12345678901234567890,"sku":-1e300,"price":0.1,"stock":9007199254740991}\n' +
      '{"prompt":"pear","like":[1,{"id":9007199254740993}],"seed":12345678901234567890}\n';
    expect(await problemsOf(rows, { format: 'jsonl' })).toEqual([
      'line 1, id: expected a number up to 9007199254740991, or its digits in quotes, found about 12345678901234567000',
      'line 1, sku: expected a number up to 9007199254740991, or its digits in quotes, found about -1e+300',
      'line 2, like: expected a number up to 9007199254740991, or its digits in quotes, found about 9007199254740992',
      'line 2, seed: expected a whole number from 0 to 4294967295, found "12345678901234567000"',
    ]);
  });

  it('has a prompt without visible characters', async () => {
    expect(await problemsOf('prompt\n\u200b\u2060\n\u200bpear\n')).toEqual([
      'line 2, prompt: expected a prompt with a visible character, found "\u200b\u2060"',
    ]);
  });

  it('has a size that the bundle does not serve', async () => {
    expect(await problemsOf('prompt,size\napple,1024\n')).toEqual([
      'line 2, size: expected a size that the bundle serves: 256, 512, 4k, found 1024',
    ]);
  });
});

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

describe('the error', () => {
  it('lists every problem in order of lines, names the file and is a UserError', async () => {
    const error = await errorOf('id,prompt,seed,size\n../x,,-1,9\nb,pear,7,512\nb,,,\n');
    expect(error).toBeInstanceOf(UserError);
    expect(error.name).toBe('UserError');
    expect(error.message.split('\n')).toEqual([
      'catalog.csv: 5 problems in the catalog',
      `  line 2, id: expected ${ID_RULE}, found "../x"`,
      '  line 2, prompt: expected a prompt, found nothing',
      '  line 2, size: expected one of 256, 512, 1024, 2k, 4k, found "9"',
      '  line 2, seed: expected a whole number from 0 to 4294967295, found "-1"; leave it empty for a seed from the prompt, or use --seeds fresh for a new one in every batch',
      '  line 4, prompt: expected a prompt, found nothing',
    ]);
    expect(error.problems[3]).toEqual({
      line: 2,
      column: 'seed',
      expected: 'a whole number from 0 to 4294967295',
      found: '"-1"; leave it empty for a seed from the prompt, or use --seeds fresh for a new one in every batch',
    });
  });

  it('uses the column names of the file', async () => {
    expect(await problemsOf('Text,Seed No\na,-1\n', { columns: { prompt: 'Text', seed: 'Seed No' } })).toEqual([
      'line 2, Seed No: expected a whole number from 0 to 4294967295, found "-1"; leave it empty for a seed from the prompt, or use --seeds fresh for a new one in every batch',
    ]);
  });

  it('lists a hundred problems and counts the rest', async () => {
    const error = await errorOf(`prompt,seed\n${'apple,-1\n'.repeat(250)}`);
    expect(error.total).toBe(250);
    expect(error.problems).toHaveLength(100);
    expect(error.message).toMatch(/^catalog\.csv: 250 problems.*\n {2}… and 150 more$/s);
  });

  it('cuts long values', async () => {
    const [problem] = await problemsOf(`prompt,size\napple,${'9'.repeat(5000)}\n`);
    expect(problem?.length).toBeLessThan(150);
  });
});

describe('invalid options', () => {
  it('map an unknown column', async () => {
    await expect(plan('prompt\na\n', { columns: { promt: 'x' } })).rejects.toThrow(
      `column mapping: expected one of ${COLUMNS.join(', ')} before the "=", found "promt"`,
    );
  });

  it('have a default size that the bundle does not serve', async () => {
    const defaults = { ...options.defaults, size: '2k' as const };
    await expect(plan('prompt\na\n', { defaults })).rejects.toThrow(
      'size: expected a size that the bundle serves (256, 512, 4k), found 2k',
    );
  });

  it('lack the quality of a lossy format', async () => {
    const defaults = { ...options.defaults, format: 'avif' as const };
    await expect(plan('prompt\na\n', { defaults })).rejects.toThrow(
      'format avif: expected a quality from 1 to 100, found none',
    );
  });
});
