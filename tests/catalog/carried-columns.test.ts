import { describe, expect, it } from 'vitest';
import { CarriedColumns } from '../../catalog/carried-columns.ts';
import { CATALOG_LIMITS } from '../../catalog/catalog-limits.ts';
import { openExpansion } from '../../catalog/expansion/expand-cells.ts';
import { plan, problemsOf } from './planning.ts';

const { carriedColumns, carriedCells, carriedCharacters } = CATALOG_LIMITS;

/** Rows that each have this many keys of their own. */
const own = (rows: number, keys: number): string =>
  Array.from({ length: rows }, (_, row) =>
    JSON.stringify({
      prompt: 'a fox',
      ...Object.fromEntries(Array.from({ length: keys }, (_, key) => [`k${row}_${key}`, 'x'])),
    }),
  ).join('\n');

const expanding = {
  format: 'csv' as const,
  expansion: openExpansion({ terms: '', sample: null, sampleSeed: 0, maxPerRow: 1_000 }, async () => null),
};

describe('carried columns', () => {
  it('have a limit over all rows together, and the row that exceeds it is reported', async () => {
    const most = await plan(own(5, carriedColumns / 5), { format: 'jsonl' });
    expect(most.summary.metadata).toHaveLength(carriedColumns);
    expect(
      await problemsOf(`${own(5, carriedColumns / 5)}\n{"prompt":"a fox","extra":"x"}`, { format: 'jsonl' }),
    ).toEqual([
      `line 6, extra: expected at most ${carriedColumns} different columns besides ours in all rows together, found one more; ` +
        'merge columns into one, leave out unneeded ones, or split the catalog',
    ]);
    expect((await problemsOf(own(250, 190), { format: 'jsonl' }))[0]).toMatch(/^line 3, k2_120: /);
  });

  it('do not count if they are empty in all rows', async () => {
    const empty = Array.from({ length: 600 }, (_, row) =>
      JSON.stringify({ prompt: 'a fox', [`k${row}`]: row < 500 ? 'x' : '' }),
    );
    expect((await plan(empty.join('\n'), { format: 'jsonl' })).summary.metadata).toHaveLength(carriedColumns);
  });

  it('have names that follow the rules for cells, in JSON lines too', async () => {
    const named = (name: string) => problemsOf(JSON.stringify({ prompt: 'a fox', [name]: 'x' }), { format: 'jsonl' });
    expect(await named('x'.repeat(20_001))).toEqual([
      'line 1, the name of a column: expected at most 20000 characters, found 20001',
    ]);
    expect(await named('a\u001b[31m')).toEqual([
      'line 1, the name of a column: expected text without control characters, found U+001B at character 2 of "a\\u001b[31m"',
    ]);
  });

  it('include the columns in which an expansion records its choices', async () => {
    const names = Array.from({ length: 199 }, (_, at) => `c${at}`);
    const catalog = `prompt,${names.join(',')}\n"{a|b} fox",${names.map(() => 'x').join(',')}\n`;
    const { summary } = await plan(catalog, expanding);
    expect(summary.metadata).toHaveLength(201);
  });
});

describe('the total that jobs carry', () => {
  const excess = (jobs: number, metadata: Record<string, string>) => {
    const carried = new CarriedColumns();
    let found = null;
    for (let job = 0; job < jobs && found === null; job++) found = carried.add(metadata);
    return found;
  };
  const cellsOf = (count: number, cell: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`c${at}`, cell]));

  it('is bounded by the cells of the tables: jobs times columns', () => {
    const columns = 500;
    expect(excess(carriedCells / columns, cellsOf(columns, ''))).toBeNull();
    expect(excess(carriedCells / columns + 1, cellsOf(columns, ''))).toMatchObject({
      expected: expect.stringContaining(`at most ${carriedCells} cells besides those of our columns`),
      found: expect.stringMatching(/^100001 jobs with 500 such columns; merge columns/),
    });
  });

  it('is bounded by its characters, however variants and combinations multiply them', () => {
    const cell = 'x'.repeat(20_000);
    expect(excess(Math.floor(carriedCharacters / 20_002), { c0: cell })).toBeNull();
    expect(excess(Math.ceil(carriedCharacters / 20_002) + 1, { c0: cell })).toMatchObject({
      expected: expect.stringContaining(`at most ${carriedCharacters} characters in columns besides ours`),
    });
  });

  it('is reported with the row that exceeds it', async () => {
    const cells = Array.from({ length: 12 }, () => 'x'.repeat(20_000));
    const row = (id: string) => [id, '"{a|b|c|d|e|f|g|h|i|j} {0|1|2|3|4|5|6|7|8|9} {0|1|2|3|4|5|6|7|8|9}"', ...cells];
    const catalog = [['id', 'prompt', ...cells.map((_, at) => `c${at}`)], row('fox'), row('owl'), row('hen')];
    const problems = await problemsOf(catalog.map((line) => line.join(',')).join('\n'), expanding);
    expect(problems[0]).toMatch(/^line 4: expected at most \d+ characters in columns besides ours/);
  });
});
