import { describe, expect, it } from 'vitest';
import { CATALOG_LIMITS } from '../../catalog/catalog-limits.ts';
import { ID_RULE } from '../../domain/job-id.ts';
import { expanding } from './expansion/expanding.ts';
import { problemsOf } from './planning.ts';

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
