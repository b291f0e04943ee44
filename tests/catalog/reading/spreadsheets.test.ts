import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newReadAs } from '../../../catalog/reading/read-as.ts';
import { windows1252 } from '../../../catalog/reading/windows-1252.ts';
import type { CatalogFormat } from '../../../domain/catalog-settings.ts';
import { jobsOf, plan, problemsOf } from '../planning.ts';

/** Prompts, and the cells of a few other columns. */
async function read(text: string | Uint8Array, format: CatalogFormat) {
  const jobs = await jobsOf(text, { format });
  return jobs.map(({ line, prompt, guidance, metadata }) => ({ line, prompt, guidance, metadata }));
}

const prompts = async (text: string | Uint8Array, format: CatalogFormat): Promise<string[]> =>
  (await jobsOf(text, { format })).map(({ prompt }) => prompt);

describe('a tab-separated table from a spreadsheet', () => {
  it('loses the quotes around cells, and doubled quotes inside become single', async () => {
    const text =
      'prompt\tnotes\r\n"a flat apple, green background"\t"first, best"\r\n"a 6"" nail on a navy background"\tx\r\n';
    expect(await read(text, 'tsv')).toMatchObject([
      { line: 2, prompt: 'a flat apple, green background', metadata: { notes: 'first, best' } },
      { line: 3, prompt: 'a 6" nail on a navy background', metadata: { notes: 'x' } },
    ]);
  });

  it('may have a line break in a cell, and lines keep their numbers', async () => {
    const text = 'prompt\tnotes\r\n"a flat apple,\r\ngreen background"\tx\r\na pear\t\r\n';
    expect(await read(text, 'tsv')).toMatchObject([
      { line: 2, prompt: 'a flat apple,\ngreen background' },
      { line: 4, prompt: 'a pear' },
    ]);
  });

  it('may have only one column', async () => {
    expect(await prompts('prompt\n"an apple,\ngreen"\n', 'tsv')).toEqual(['an apple,\ngreen']);
  });

  it('may have all its texts in quotes', async () => {
    expect(await prompts('"prompt"\t"steps"\n"an apple"\t20\n"a pear"\t30\n', 'tsv')).toEqual(['an apple', 'a pear']);
  });

  it.each(['TRUE', '2024-01-05', '-5', '12%', '16:09:00', '1,5 €'])(
    'may have all its texts quoted, and %s unquoted',
    async (cell) => {
      expect(await prompts(`"prompt"\t"notes"\n"an apple"\t${cell}\n`, 'tsv')).toEqual(['an apple']);
    },
  );

  it('may be in UTF-16, like "Unicode text", in either byte order', async () => {
    const text = '\ufeffprompt\tnotes\r\n"ein Glöckchen, 苹果 🍎"\t"x, y"\r\n';
    const little = Buffer.from(text, 'utf16le');
    expect(await prompts(little, 'tsv')).toEqual(['ein Glöckchen, 苹果 🍎']);
    expect(await prompts(Buffer.from(little).swap16(), 'tsv')).toEqual(['ein Glöckchen, 苹果 🍎']);
  });

  it.each([
    ['a lone quote', 'prompt\tnotes\n"an apple, green"\ta 6" nail\n', '"an apple, green"'],
    ['text after the closing quote', 'prompt\tnotes\n"Salad" on a sign\t"x, y"\n', '"Salad" on a sign'],
    ['a cell in quotes for no reason', 'prompt\tnotes\n"Mona Lisa"\tx\n', '"Mona Lisa"'],
    ['quotes of two rows that would make one cell', 'prompt\tnotes\n"An apple\tx\na pear\ty"\n', '"An apple'],
  ])('keeps its quotes if there is %s', async (_, text, prompt) => {
    expect((await prompts(text, 'tsv'))[0]).toBe(prompt);
  });
});

it('a line break in a cell of a table with stray quotes is reported as such', async () => {
  const hint = '; for line breaks in cells, every quote in the table must either enclose a cell or be doubled';
  expect(await problemsOf('prompt\tnotes\n"an apple,\ngreen"\tx\na 6" nail\ty\n', { format: 'tsv' })).toEqual([
    `line 2: expected 2 cells, as in the header, found 1${hint}`,
  ]);
});

describe('a .csv without commas', () => {
  it('may have semicolons and decimal commas, as a German Excel writes it', async () => {
    const text =
      '\ufeffPrompt;Size;guidance;Kategorie\r\na key, white;512;4,5;Schlüssel\r\n"a ""bell""; blue";;1,0;\r\n';
    expect(await read(text, 'csv')).toMatchObject([
      { prompt: 'a key, white', guidance: 4.5, metadata: { Kategorie: 'Schlüssel' } },
      { prompt: 'a "bell"; blue', guidance: 1 },
    ]);
  });

  it('has the same ids and images as the same table with commas', async () => {
    const commas = await jobsOf('prompt,guidance,aspect\na key,4.5,1.5\n');
    expect(await jobsOf('prompt;guidance;aspect\na key;4,5;1,5\n')).toEqual(commas);
    expect(await jobsOf('prompt\tguidance\taspect\na key\t4,5\t1,5\n', { format: 'tsv' })).toEqual(commas);
  });

  it.each([';', '\t', '|'])('may have any of the usual separators: %j', async (separator) => {
    expect(await prompts(`id${separator}prompt\na${separator}an apple\n`, 'csv')).toEqual(['an apple']);
  });

  it.each([
    ['sep=;\r\nprompt;seed\r\na, b;1\r\n', 'csv'],
    ['\ufeffsep=,\r\nprompt,seed\r\n"a, b",1\r\n', 'csv'],
    ['"sep=;"\nprompt;seed\na, b;1\n', 'csv'],
    ['SEP=\t\nprompt\tseed\na, b\t1\n', 'csv'],
    ['sep=\t\nprompt\tseed\na, b\t1\n', 'tsv'],
  ] as const)("may begin with Excel's line that says so: %j", async (text, format) => {
    expect(await read(text, format)).toMatchObject([{ line: 3, prompt: 'a, b' }]);
  });

  it('is recognised by its prompt column, and commas come first', async () => {
    expect(await prompts('prompt,a;b\n"x;y",z\n', 'csv')).toEqual(['x;y']);
    expect(await prompts('prompt\nan apple; green, not red\n'.replace(', not', ' not'), 'csv')).toEqual([
      'an apple; green not red',
    ]);
  });

  it('does not allow decimal commas if commas separate cells', async () => {
    expect(await problemsOf('prompt,guidance\napple,"4,5"\n')).toEqual([
      'line 2, guidance: expected a number from 1 to 30, found "4,5"',
    ]);
  });
});

it('placeholders for missing values are reported, and a pandas index is refused with advice', async () => {
  const { summary } = await plan('prompt,negative_prompt\na fox,None\nnan,\na fox,none of it\na fox,N/A\n');
  expect(summary.placeholders).toEqual({ rows: 3, firstLines: [2, 3, 5] });
  expect(await problemsOf(',prompt\n0,a fox\n')).toEqual([
    'line 2, column 1: expected a name for the column in the header, found "0"; with pandas, leave out the index with index=False',
  ]);
});

it('a spreadsheet error value is not a prompt', async () => {
  expect(await problemsOf('prompt\n#REF!\n#N/A\n')).toEqual([
    'line 2, prompt: expected a prompt, not the error of a spreadsheet formula, found "#REF!"',
    'line 3, prompt: expected a prompt, not the error of a spreadsheet formula, found "#N/A"',
  ]);
  expect(await problemsOf('prompt,negative_prompt\na fox,#NAME?\n')).toEqual([
    'line 2, negative_prompt: expected text, not the error of a spreadsheet formula, found "#NAME?"',
  ]);
});

it.each(['csv', 'tsv', 'jsonl', 'txt'] as const)('lines of a long %s may end in CR alone', async (format) => {
  const text = (i: number) => `an apple number ${i} on a background with ${'a long tail of '.repeat(50)}words`;
  const line = (i: number) => (format === 'jsonl' ? JSON.stringify({ prompt: text(i) }) : text(i));
  const head = format === 'csv' || format === 'tsv' ? ['prompt'] : [];
  const lines = [...head, ...Array.from({ length: 500 }, (_, i) => line(i))];
  const jobs = await jobsOf(lines.join('\r'), { format });
  expect(Buffer.byteLength(lines.join('\r'))).toBeGreaterThan(300_000);
  expect(jobs).toHaveLength(500);
  expect(jobs[499]).toMatchObject({ prompt: text(499), line: 500 + head.length });
});

describe('a table in Windows-1252, as "CSV" saves it in many countries', () => {
  const german = 'Prompt;guidance;Preis\na flat key;4,5;5 \x80\na bell;;Schl\xfcssel \x96 \x84neu\x93\n';
  const readAsOf = async (bytes: Buffer, format: CatalogFormat = 'csv') => {
    const readAs = newReadAs(format);
    await plan(bytes, { format, readAs });
    return readAs;
  };

  it('is read, and the assumption is reported with a word that shows whether it is right', async () => {
    const bytes = Buffer.from(german, 'latin1');
    expect(await read(bytes, 'csv')).toMatchObject([
      { prompt: 'a flat key', guidance: 4.5, metadata: { Preis: '5 €' } },
      { prompt: 'a bell', metadata: { Preis: 'Schlüssel – „neu“' } },
    ]);
    expect(await readAsOf(bytes)).toMatchObject({ encoding: 'Windows-1252', assumedFor: '€', separator: ';' });
    expect(await readAsOf(Buffer.from(german.replace(' \x80', ''), 'latin1'))).toMatchObject({
      assumedFor: 'Schlüssel',
    });
  });

  it('is not assumed for UTF-8, UTF-16, ASCII or JSON', async () => {
    expect(await readAsOf(Buffer.from('prompt\nein Schlüssel\n'))).toMatchObject({
      encoding: 'UTF-8',
      assumedFor: null,
    });
    expect(await readAsOf(Buffer.from('\ufeffprompt\nkey\n'))).toMatchObject({ encoding: 'UTF-8' });
    expect(await readAsOf(Buffer.from('\ufeffprompt\nkey\n', 'utf16le'))).toMatchObject({ encoding: 'UTF-16' });
    expect(await readAsOf(Buffer.from('prompt\nkey\n'))).toMatchObject({ encoding: null });
    expect(await problemsOf(Buffer.from('{"prompt":"Schl\xfcssel"}\n', 'latin1'), { format: 'jsonl' })).toEqual([
      expect.stringMatching(/^line 1: expected text in UTF-8/),
    ]);
  });

  it('may not have UTF-8 lines further down, or undefined bytes', async () => {
    const padding = 'a key\n'.repeat(20_000);
    const mixed = Buffer.concat([
      Buffer.from('prompt\nSchl\xfcssel\n', 'latin1'),
      Buffer.from(`${padding}Schlüssel\n`),
      Buffer.from('a\x81b\n', 'latin1'),
    ]);
    expect(await problemsOf(mixed)).toEqual([
      'line 20003: expected text in Windows-1252, as in the lines before, found UTF-8',
      'line 20004: expected text in Windows-1252, as in the lines before, found other bytes',
    ]);
  });

  it('is read as it was written, whatever it contains', async () => {
    const characters = [...windows1252(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)))];
    const byteOf = new Map(characters.map((character, byte) => [character, byte]));
    const printable = characters.filter((character) => /[\p{L}\p{S}\p{P} ]/u.test(character) && character !== '\ufffd');
    const text = fc.array(fc.constantFrom(...printable), { maxLength: 20 }).map((some) => `é x${some.join('')}`.trim());
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 5 }), async (rows) => {
        const cells = rows.map((row) => `"${row.replaceAll('"', '""')}"\n`);
        const bytes = Buffer.from([...`prompt\n${cells.join('')}`].map((character) => byteOf.get(character)!));
        expect(await prompts(bytes, 'csv')).toEqual(rows);
      }),
      { numRuns: 50 },
    );
  });
});
