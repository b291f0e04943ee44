import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogJobs } from '../../../catalog/plan-catalog.ts';
import { newReadAs } from '../../../catalog/reading/read-as.ts';
import type { Job } from '../../../domain/job.ts';
import { jobsOf, options, plan, problemsOf } from '../planning.ts';
import { escaped, type Parts, partsOf, rowsOf, stylesOf, zipped } from './make-xlsx.ts';

const fixture = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url));

const xlsx = { format: 'xlsx', file: 'icons.xlsx' } as const;

/** A workbook of one sheet with these rows of XML. */
const sheet = (rows: string, others: Parts = {}): Buffer => zipped(partsOf(rows, others));

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

const header =
  '<row r="1"><c r="A1" t="inlineStr"><is><t>prompt</t></is></c><c r="B1" t="inlineStr"><is><t>note</t></is></c></row>';

/** Notes of the rows below the header. */
const notesOf = async (bytes: Buffer): Promise<(string | undefined)[]> =>
  (await jobsOf(bytes, xlsx)).map(({ metadata }) => metadata.note);

/** A row with a note in this cell. */
const note = (cell: string, line = 2): string =>
  `<row r="${line}"><c r="A${line}" t="inlineStr"><is><t>a key</t></is></c>${cell}</row>`;

describe('a workbook that LibreOffice saved', () => {
  it('has its values as the sheet shows them, except that numeric columns get the numbers', async () => {
    const jobs = await jobsOf(fixture('libreoffice.xlsx'), { ...xlsx });
    expect(
      jobs.map(({ id, prompt, seed, bin, line, metadata }) => ({ id, prompt, seed, bin, line, metadata })),
    ).toEqual([
      {
        ...{ id: 'A-1', prompt: 'a flat red key', seed: 12345, bin: { height: 384, width: 672 }, line: 2 },
        metadata: { due: '31.01.2026', price: '1,234.50 €', share: '50%', done: 'TRUE', note: '#DIV/0!' },
      },
      {
        ...{ id: '0007', prompt: 'a flat blue bell', seed: 7, bin: { height: 416, width: 608 }, line: 3 },
        metadata: { due: '31.01.2026', price: '3.00 €', share: '25%', done: 'FALSE', note: 'A-1' },
      },
    ]);
  });

  it('is read from its first sheet that is not hidden, or from a named one', async () => {
    const readAs = newReadAs('xlsx');
    const jobs = await all(catalogJobs([fixture('libreoffice.xlsx')], { ...options, ...xlsx, readAs }));
    expect(jobs).toHaveLength(2);
    expect(readAs).toMatchObject({
      sheet: 'Icons & Tiles',
      otherSheets: ['Lists', 'Zweites Blatt'],
      hiddenRows: 1,
    });
    const [job] = await jobsOf(fixture('libreoffice.xlsx'), { ...xlsx, sheet: 'zweites blatt' });
    expect(job?.prompt).toBe('a fox of the second sheet');
    expect(await problemsOf(fixture('libreoffice.xlsx'), { ...xlsx, sheet: 'Icons' })).toEqual([
      'expected a sheet "Icons", found "Lists", "Icons & Tiles", "Zweites Blatt"',
    ]);
  });
});

it('a formula without a value, as openpyxl writes it, is reported with its cell', async () => {
  const found =
    'found none, because the program that wrote the file does not calculate formulas; open and save the file in a spreadsheet, and submit that';
  expect(await problemsOf(fixture('openpyxl.xlsx'), xlsx)).toEqual([
    `'Icons & Tiles'!I2 (note): expected the formula's value, ${found}`,
    `'Icons & Tiles'!B3 (Prompt): expected the formula's value, ${found}`,
    `'Icons & Tiles'!I3 (note): expected the formula's value, ${found}`,
  ]);
});

it('the 0 that XlsxWriter writes for a formula is not used as its value, but a given value is', async () => {
  expect(await problemsOf(fixture('xlsxwriter.xlsx'), xlsx)).toEqual([
    expect.stringMatching(/^Sheet1!B2 \(note\): expected text without control characters, found U\+0001/),
    "Sheet1!A5 (prompt): expected the formula's value, found 0, which programs that do not calculate formulas write instead; open and save the file in a spreadsheet, and submit that",
  ]);
});

it('runs of several fonts are one text, and characters that XML cannot represent are reported', async () => {
  const cell = (text: string) => note(`<c r="B2" t="inlineStr"><is>${text}</is></c>`);
  const runs =
    '<r><t xml:space="preserve">a </t></r><r><rPr><b/></rPr><t>bold</t></r><rPh sb="0" eb="1"><t>ka</t></rPh>';
  expect(await notesOf(sheet(header + cell(runs)))).toEqual(['a bold']);
  expect(await notesOf(sheet(header + cell('<t>a_x000D_\nb _x005F_x0041_</t>')))).toEqual(['a\nb _x0041_']);
  expect(await problemsOf(sheet(header + cell('<t>a_x0001_b</t>')), xlsx)).toEqual([
    'Sheet1!B2 (note): expected text without control characters, found U+0001 at character 2 of "a\\u0001b"',
  ]);
});

it.each([
  ['General', '4006381333931', '4006381333931'],
  ['General', '0.30000000000000004', '0.3'],
  ['General', '1E+20', '100000000000000000000'],
  ['0.00', '4.5', '4.50'],
  ['[$-407]d. mmmm yyyy', '46053', '31. Januar 2026'],
  ['"SKU-"00000', '42', 'SKU-00042'],
  ['nonsense[', '42', '42'],
])('a number in the format %s is shown as in the sheet', async (format, value, shown) => {
  const rows = header + note(`<c r="B2" s="0"><v>${value}</v></c>`);
  expect(await notesOf(sheet(rows, { 'xl/styles.xml': stylesOf([format]) }))).toEqual([shown]);
});

it('dates of a workbook that counts from 1904 are the same days', async () => {
  const others = partsOf('', { 'xl/styles.xml': stylesOf(['yyyy-mm-dd']) });
  others['xl/workbook.xml'] = others['xl/workbook.xml']!.replace('<sheets>', '<workbookPr date1904="1"/><sheets>');
  const rows = partsOf(header + note('<c r="B2" s="0"><v>44591</v></c>'))['xl/worksheets/sheet1.xml']!;
  expect(await notesOf(zipped({ ...others, 'xl/worksheets/sheet1.xml': rows }))).toEqual(['2026-01-31']);
});

it('problems name cells: in the header, in a row, and beyond the header', async () => {
  const bytes = sheet(
    rowsOf([
      ['prompt', 'seed', ''],
      ['a key', 'x'],
      ['', '7'],
      ['a bell', '', 'more'],
    ]),
  );
  expect(await problemsOf(bytes, xlsx)).toEqual([
    'Sheet1!B2 (seed): expected a whole number from 0 to 4294967295, found "x"',
    'Sheet1!A3 (prompt): expected a prompt, found nothing',
    'Sheet1!C4 (column 3): expected a name for the column in the header, found "more"',
  ]);
  expect(
    await problemsOf(
      sheet(
        rowsOf([
          ['id', 'prompt'],
          ['a', 'x'],
          ['A', 'y'],
        ]),
      ),
      xlsx,
    ),
  ).toEqual(['Sheet1!A3 (id): expected an id that no other row has, found "A", already used in Sheet1, row 2']);
  expect(await problemsOf(sheet(rowsOf([['Caption'], ['a key']])), xlsx)).toEqual([
    expect.stringMatching(/^Sheet1, row 1 \(prompt\): expected a column "prompt"/),
  ]);
});

it('a cell that is only coloured does not make a row', async () => {
  expect((await plan(fixture('coloured.xlsx'), xlsx)).summary).toMatchObject({ rows: 1, jobs: 1 });
});

it('rows and cells without references are consecutive', async () => {
  const cell = (text: string) => `<c t="inlineStr"><is><t>${text}</t></is></c>`;
  const bytes = sheet(
    `<row>${cell('prompt')}${cell('note')}</row><row>${cell('a key')}<c/></row><row><c/>${cell('x')}</row>`,
  );
  expect(await problemsOf(bytes, xlsx)).toEqual(['Sheet1!A3 (prompt): expected a prompt, found nothing']);
});

it('any table of texts is read as it was written', async () => {
  const text = fc
    .string({ unit: 'grapheme', maxLength: 12 })
    .map((value) => value.trim().replaceAll(/_x[0-9a-f]{4}_/gi, ''));
  const row = fc.tuple(
    text.map((value) => `x${value}`),
    text,
  );
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 8 }), async (rows) => {
      const jobs = await all<Job>(catalogJobs([sheet(rowsOf([['prompt', 'note'], ...rows]))], { ...options, ...xlsx }));
      const read = jobs.map(({ prompt, metadata }) => [prompt, metadata.note ?? '']);
      expect(read).toEqual(rows.map((cells) => cells.map((cell) => cell.replaceAll(/\r\n?/g, '\n').trim())));
    }),
    { numRuns: 50 },
  );
});

describe('a file that is not a workbook, or a malicious one', () => {
  const told = async (bytes: Buffer): Promise<string[]> => problemsOf(bytes, xlsx);

  it('is text, an older workbook or one with a password', async () => {
    expect(await told(Buffer.from('prompt\na key\n'))).toEqual([
      'expected a workbook (.xlsx), which is a zip archive, found another kind of file; if it is text, rename it to end in .csv, .tsv, .jsonl or .txt',
    ]);
    expect(await told(Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1]))).toEqual([
      'expected a workbook (.xlsx), which is a zip archive, found a workbook with a password, or one of the older kind .xls; save it as "Excel Workbook (.xlsx)" without one, or as "CSV UTF-8"',
    ]);
  });

  it('is another archive', async () => {
    expect(await told(zipped({ mimetype: 'application/vnd.oasis.opendocument.spreadsheet' }))).toEqual([
      'expected a workbook (.xlsx), found another archive, such as an .ods or .docx; save it as .xlsx or "CSV UTF-8"',
    ]);
  });

  it.each(['%zz', 'http://['])('names a part as %s, which is no name', async (target) => {
    const parts = partsOf(header);
    const rels = parts['xl/_rels/workbook.xml.rels']!.replace('/xl/worksheets/sheet1.xml', target);
    expect(await told(zipped({ ...parts, 'xl/_rels/workbook.xml.rels': rels }))).toEqual([
      `expected targets of relationships that name parts of the workbook, found "${target}"`,
    ]);
  });

  it('would be too large when unpacked, by its own account', async () => {
    const bytes = sheet(header + note(''));
    // The size of the sheet in the archive's directory.
    const at = bytes.lastIndexOf('xl/worksheets/sheet1.xml') - 46 + 24;
    bytes.writeUInt32LE(2 ** 29 + 1, at);
    expect(await told(bytes)).toEqual([
      'expected a workbook of at most 536870912 bytes once it is unpacked, found more; delete unneeded sheets and images, or save the sheet as "CSV UTF-8"',
    ]);
  });

  it('is larger than its archive claims', async () => {
    const bytes = sheet(header + note(''));
    const at = bytes.lastIndexOf('xl/worksheets/sheet1.xml') - 46 + 24;
    bytes.writeUInt32LE(100, at);
    expect(await told(bytes)).toEqual([
      expect.stringMatching(/^expected a part xl\/worksheets\/sheet1\.xml that can be unpacked, found too many bytes/),
    ]);
  });

  it('has broken XML, a missing text, or rows out of order', async () => {
    expect(await told(sheet('<row r="1"><c></row>'))).toEqual([
      expect.stringMatching(/^expected XML in xl\/worksheets\/sheet1\.xml, found /),
    ]);
    expect(await told(sheet('<row r="1"><c t="s"><v>7</v></c></row>'))).toEqual([
      "expected one of the workbook's 0 texts in row 1, found text 7",
    ]);
    expect(await told(sheet('<row r="2"><c><v>1</v></c></row><row r="1"/>'))).toEqual([
      'expected rows of a sheet in their order, after row 2, found row 1',
    ]);
    expect(await told(sheet('<row r="1"><c r="B1"><v>1</v></c><c r="A1"/></row>'))).toEqual([
      'expected cells of row 1 in their order, found cell A1',
    ]);
  });

  it('defines entities, which are not expanded', async () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "${'a'.repeat(99)}">]><worksheet><sheetData><row><c t="str"><v>&a;&a;</v></c></row></sheetData></worksheet>`;
    expect(await told(sheet('', { 'xl/worksheets/sheet1.xml': bomb }))).toEqual([
      expect.stringMatching(/^expected XML in xl\/worksheets\/sheet1\.xml, found .*undefined entity/),
    ]);
  });
});

it('only a workbook accepts a sheet', async () => {
  await expect(plan('prompt\na key\n', { sheet: 'Sheet1' })).rejects.toThrow(
    'sheet: expected none for a .csv, which has no sheets',
  );
  expect(escaped('<')).toBe('&lt;');
});
