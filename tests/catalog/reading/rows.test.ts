import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problems } from '../../../catalog/problems.ts';
import { newReadAs } from '../../../catalog/reading/read-as.ts';
import { readRows } from '../../../catalog/reading/rows.ts';
import type { CatalogFormat } from '../../../domain/catalog-settings.ts';
import { jobsOf, plan, problemsOf } from '../planning.ts';

type Cells = Record<string, string>;

async function read(chunks: Iterable<Uint8Array>, format: CatalogFormat, columns: Cells = {}) {
  const problems = new Problems('catalog');
  const rows: { line: number; values: Cells; metadata: Cells }[] = [];
  for await (const { line, values, metadata } of readRows(chunks, { format, columns }, problems, newReadAs(format))) {
    rows.push({ line, values, metadata });
  }
  problems.throwIfAny();
  return rows;
}

const cell = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((text) => text.trim());
const prompt = fc
  .tuple(fc.array(fc.constantFrom('a', '"', ',', ';', ' ', '\n', 'é', '苹', '🍎', "'", '\\'), { maxLength: 8 }), cell)
  .map(([parts, text]) => `x${parts.join('')}${text}`.trim());
const rowsOf = fc.array(fc.record({ prompt, note: cell }), { minLength: 1, maxLength: 10 });

/** The bytes in pieces that may split lines and characters. */
const inPieces = (text: string, size: number): Uint8Array[] => {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
};

const csvCell = (text: string): string => `"${text.replaceAll('"', '""')}"`;

const asRead = ({ prompt: text, note }: { prompt: string; note: string }) => ({
  values: { prompt: text },
  metadata: note === '' ? {} : { note },
});

describe('CSV', () => {
  it('comes back as it was written, in pieces of any size, with any newline, with and without a mark', async () => {
    const forms = fc.record({
      size: fc.integer({ min: 1, max: 40 }),
      newline: fc.constantFrom('\n', '\r\n', '\r'),
      mark: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(rowsOf, forms, async (rows, { size, newline, mark }) => {
        const lines = ['prompt,note', ...rows.map((row) => `${csvCell(row.prompt)},${csvCell(row.note)}`)];
        const text = `${mark ? '\ufeff' : ''}${lines.join(newline)}${newline}`;
        const back = await read(inPieces(text, size), 'csv');
        expect(back.map(({ values, metadata }) => ({ values, metadata }))).toEqual(rows.map(asRead));
      }),
    );
  });

  it('keeps the first line of each row, across quoted newlines, CRLF and empty lines', async () => {
    const text = 'prompt,note\r\n"one\r\nand\r\n a half",x\r\n\r\ntwo,"y\r\nz"\r\n,\r\nthree,\r\n';
    expect(await read([Buffer.from(text)], 'csv')).toEqual([
      { line: 2, values: { prompt: 'one\nand\n a half' }, metadata: { note: 'x' } },
      { line: 6, values: { prompt: 'two' }, metadata: { note: 'y\nz' } },
      { line: 9, values: { prompt: 'three' }, metadata: {} },
    ]);
  });

  it('needs no newline at the end', async () => {
    expect(await read([Buffer.from('prompt\napple')], 'csv')).toMatchObject([{ line: 2, values: { prompt: 'apple' } }]);
  });
});

describe('TSV', () => {
  it('keeps quotes as they are', async () => {
    const text = 'prompt\tnote\na 6" nail\t"quoted"\n"\t\n';
    expect(await read([Buffer.from(text)], 'tsv')).toEqual([
      { line: 2, values: { prompt: 'a 6" nail' }, metadata: { note: '"quoted"' } },
      { line: 3, values: { prompt: '"' }, metadata: {} },
    ]);
  });

  it('reads all of PartiPrompts, with or without a mapping, in the same way', async () => {
    const bytes = readFileSync(new URL('../../catalogs/parti-prompts.tsv', import.meta.url));
    const mapped = await jobsOf(bytes, { format: 'tsv', columns: { prompt: 'Prompt' } });
    expect(mapped).toEqual(await jobsOf(bytes, { format: 'tsv' }));
    expect(mapped.map(({ prompt }) => prompt)).toEqual(
      bytes
        .toString()
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => line.split('\t')[0]?.trim()),
    );
    const { summary } = await plan(bytes, { format: 'tsv' });
    expect(summary).toMatchObject({
      rows: 1632,
      jobs: 1632,
      images: 1632,
      metadata: ['Category', 'Challenge', 'Note'],
    });
  });
});

describe('JSONL', () => {
  it('comes back as it was written, in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, fc.integer({ min: 1, max: 40 }), async (rows, size) => {
        const text = rows.map((row) => JSON.stringify(row)).join('\n');
        const back = await read(inPieces(text, size), 'jsonl');
        expect(back).toEqual(rows.map((row, index) => ({ line: index + 1, ...asRead(row) })));
      }),
    );
  });

  it('reads numbers as cells, null as an empty cell, and other values as JSON metadata', async () => {
    const text = '{"prompt":"apple","seed":5,"guidance":4.5,"id":null,"tags":["a"],"final":true,"__proto__":"x"}\n';
    const [row] = await read([Buffer.from(text)], 'jsonl');
    expect(row?.values).toEqual({ prompt: 'apple', seed: '5', guidance: '4.5' });
    expect(Object.entries(row?.metadata ?? {})).toEqual([
      ['tags', '["a"]'],
      ['final', 'true'],
      ['__proto__', 'x'],
    ]);
  });

  it('refuses an object with the same key twice, of which one value would be lost', async () => {
    const lines = [
      '{"prompt":"a","prompt":"b"}',
      '{"prompt":"a {\\"seed\\":1}","x":{"seed":1,"n":[{"seed":2}]},"seed":1,"s\\u0065ed":2}',
    ];
    expect(await problemsOf(`${lines.join('\n')}\n{"prompt":"a","x":{"prompt":1}}\n`, { format: 'jsonl' })).toEqual([
      'line 1, prompt: expected one key of that name, found two',
      'line 2, seed: expected one key of that name, found two',
    ]);
  });

  it('lets a row leave a mapped column out', async () => {
    const text = '{"Caption":"apple","Seed":5}\n{"Caption":"pear"}\n';
    const rows = await read([Buffer.from(text)], 'jsonl', { prompt: 'Caption', seed: 'Seed' });
    expect(rows.map(({ values }) => values)).toEqual([{ prompt: 'apple', seed: '5' }, { prompt: 'pear' }]);
  });
});

describe('columns', () => {
  const header = async (names: string, cells: string, columns: Cells = {}) =>
    (await read([Buffer.from(`${names}\n${cells}\n`)], 'csv', columns)).map(({ values, metadata }) => ({
      values,
      metadata,
    }));

  it('are found whatever their case and with spaces or hyphens', async () => {
    expect(await header(' PROMPT ,Negative Prompt,Team', 'apple,blurry,shop')).toEqual([
      { values: { prompt: 'apple', negative_prompt: 'blurry' }, metadata: { Team: 'shop' } },
    ]);
  });

  it('are matched by a mapping first; the others are carried over', async () => {
    expect(await header('Caption,prompt,id', 'apple,old,7', { prompt: 'Caption', seed: 'id' })).toEqual([
      { values: { prompt: 'apple', seed: '7' }, metadata: { prompt: 'old' } },
    ]);
  });

  it('may be mapped to one of two names that differ in case', async () => {
    expect(await header('Prompt,prompt', 'old,apple', { prompt: 'prompt' })).toEqual([
      { values: { prompt: 'apple' }, metadata: { Prompt: 'old' } },
    ]);
  });

  it('without a name may stay empty', async () => {
    expect(await header('prompt,,', 'apple,,')).toEqual([{ values: { prompt: 'apple' }, metadata: {} }]);
  });
});
