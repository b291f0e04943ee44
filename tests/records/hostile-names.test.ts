import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openExpansion } from '../../catalog/expansion/expand-cells.ts';
import type { Job } from '../../domain/job.ts';
import { cellOf } from '../../domain/metadata.ts';
import { matches } from '../../domain/row-filter.ts';
import { CarriedNames } from '../../records/carried-names.ts';
import { readDecisions } from '../../records/decisions.ts';
import { manifestEntry } from '../../records/manifest.ts';
import {
  isTableColumn,
  manifestCsv,
  manifestJsonl,
  manifestRow,
  noteNames,
  readManifestJsonl,
} from '../../records/manifest-table.ts';
import { nextJob } from '../../records/next-job.ts';
import { decodeJobs, encodeJobs } from '../../records/plan-and-receipts.ts';
import { sheetRow } from '../../review-page/row.ts';
import type { ObjectStore } from '../../store/index.ts';
import { jobsOf } from '../catalog/planning.ts';

const store = { url: 'file:///out' } as ObjectStore;
const file = { store: store.url, name: 'manifest.jsonl', holds: 'rows', remedy: '' };

/** Names that objects inherit, that JavaScript itself reads from objects, and that our own rows have. */
const NAMES = [
  ...Object.getOwnPropertyNames(Object.prototype),
  ...['prototype', 'then', 'toJSON', 'length', 'name', '0', '-1', 'Constructor', 'hasOwn', 'Symbol.iterator'],
  ...['metadata', 'renderKey', 'line', 'columns', 'values', 'file', 'reason', 'row', 'choice:seed'],
];

/** Rows of cells with such column names; some cells are empty. */
const table = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 8 }).chain((names) =>
  fc.record({
    names: fc.constant(names),
    rows: fc.array(
      fc.array(fc.constantFrom('', 'x', 'a "b", c', '=1', 'constructor'), {
        minLength: names.length,
        maxLength: names.length,
      }),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  }),
);

type Table = { names: string[]; rows: string[][] };

const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
const asCsv = ({ names, rows }: Table): string =>
  [['prompt', ...names], ...rows.map((cells) => ['a fox', ...cells])]
    .map((cells) => cells.map(quoted).join(','))
    .join('\n');
/** Written by hand, since an object literal with a key `__proto__` would not have it. */
const asJsonl = ({ names, rows }: Table): string =>
  rows
    .map((cells) => [
      '"prompt":"a fox"',
      ...names.map((name, at) => `${JSON.stringify(name)}:${JSON.stringify(cells[at])}`),
    ])
    .map((pairs) => `{${pairs.join(',')}}`)
    .join('\n');

/** The cells that are not empty, by name. */
const carriedOf = ({ names }: Table, cells: string[]): [string, string][] =>
  names.flatMap((name, at): [string, string][] => (cells[at] === '' ? [] : [[name, cells[at]!]])).sort();
const entriesOf = ({ metadata }: Pick<Job, 'metadata'>): [string, string][] => Object.entries(metadata).sort();

async function planned(asked: Table, format: 'csv' | 'jsonl'): Promise<Job[]> {
  const jobs = await jobsOf(format === 'csv' ? asCsv(asked) : asJsonl(asked), { format });
  return decodeJobs(await encodeJobs(jobs), store, 'batches/night/_plan/1-00000.jsonl');
}

test.each(['csv', 'jsonl'] as const)(
  'a column of a %s catalog may have any name: its cells reach plan, manifest, tables and page',
  async (format) => {
    await fc.assert(
      fc.asyncProperty(table, async (asked) => {
        const jobs = await planned(asked, format);
        const expected = asked.rows.map((cells) => carriedOf(asked, cells));
        expect(jobs.map(entriesOf)).toEqual(expected);

        const entries = jobs.map((job) =>
          JSON.parse(manifestEntry({ id: job.id, type: 'X', reason: '', attempts: 1 }, job)),
        );
        expect(entries.map(entriesOf)).toEqual(expected);
        const rows = jobs.map((job) => manifestRow(job, undefined));
        expect((await readManifestJsonl(Buffer.concat([...manifestJsonl(rows)]), file)).map(entriesOf)).toEqual(
          expected,
        );

        const names = new CarriedNames();
        for (const job of jobs) noteNames(job, names);
        const [header, ...lines] = parse(Buffer.concat([...manifestCsv(rows, names)]), { bom: true }) as string[][];
        for (const [at, line] of lines.entries()) {
          const inTable = expected[at]!.filter(([name]) => !isTableColumn(name));
          const own = header!.length - names.names.length;
          const told = names.names.map((name, place): [string, string] => [name, line[own + place]!]);
          const unescaped = told.map(([name, cell]): [string, string] => [name, cell.replace(/^'(?==)/, '')]);
          expect(unescaped.filter(([, cell]) => cell !== '').sort()).toEqual(inTable);
        }

        const columns = new CarriedNames();
        const sheet = jobs.map((job) => sheetRow(job, undefined, columns, 'batches/night/'));
        for (const [at, { values }] of sheet.entries()) {
          const told = columns.names.map((name, place): [string, string] => [name, values[place] ?? '']);
          expect(told.filter(([, cell]) => cell !== '').sort()).toEqual(expected[at]);
        }
      }),
      { numRuns: 60 },
    );
  },
);

test('a filter on such a column finds the rows that have the value, and none that lack it', async () => {
  await fc.assert(
    fc.asyncProperty(table, fc.constantFrom(...NAMES), async (asked, column) => {
      const jobs = await planned(asked, 'jsonl');
      for (const [at, job] of jobs.entries()) {
        const cell = carriedOf(asked, asked.rows[at]!).find(([name]) => name === column)?.[1];
        // A name that a row does not carry may be one of our own columns.
        if (cell === undefined && ['line', 'name'].every((name) => name !== column)) {
          expect(matches(job, { column, pattern: '*' })).toBe(false);
        }
        if (cell !== undefined) expect(matches(job, { column, pattern: cell })).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});

test('a retry of a row keeps such columns, even with a new seed', async () => {
  const basis = { bundleDigest: 'a'.repeat(64), pipelineVersion: 1 };
  await fc.assert(
    fc.asyncProperty(table, async (asked) => {
      const jobs = await planned(asked, 'csv');
      const rejected = new Map(jobs.map(({ id, renderKey }) => [id, new Set([renderKey])]));
      for (const job of jobs) {
        const receipt = { renderKey: job.renderKey } as Parameters<typeof nextJob>[1];
        const next = nextJob(job, receipt, [], { corrected: new Map(), rejected }, basis)!;
        const seeded = (entries: [string, string][]) => entries.filter(([name]) => name !== 'choice:seed');
        expect(seeded(entriesOf(next))).toEqual(seeded(entriesOf(job)));
        expect(next.seed).not.toBe(job.seed);
      }
    }),
    { numRuns: 30 },
  );
});

test.each(NAMES)('the prompt may be read from a column %j', async (name) => {
  const columns = { prompt: name };
  const prompts = (jobs: Job[]) => jobs.map(({ prompt, metadata }) => [prompt, metadata]);
  const csv = [
    ['id', name],
    ['fox', 'a fox'],
  ]
    .map((cells) => cells.map(quoted).join(','))
    .join('\n');
  expect(prompts(await jobsOf(csv, { columns }))).toEqual([['a fox', {}]]);
  const jsonl = `{"id":"fox",${JSON.stringify(name)}:"a fox"}`;
  expect(prompts(await jobsOf(jsonl, { format: 'jsonl', columns }))).toEqual([['a fox', {}]]);
});

test("files of terms may have any name, even one of the manifest's for a choice", async () => {
  const names = ['seed', ...NAMES.filter((name) => /^[a-z][a-zA-Z]*$/.test(name))];
  const read = async (name: string) => Buffer.from(`${name} one\n${name} two\n`);
  const expansion = openExpansion({ terms: '', sample: null, sampleSeed: 0, maxPerRow: 10 }, read);
  const catalog = ['prompt', ...names.map((name) => `a __${name}__`)].join('\n');
  const jobs = await jobsOf(catalog, { expansion });
  expect(jobs).toHaveLength(2 * names.length);
  for (const name of names) {
    const column = `choice:${['seed', 'row'].includes(name) ? 'terms/' : ''}${name}`;
    const chosen = jobs.flatMap(({ metadata }) => cellOf(metadata, column) ?? []);
    expect(chosen.sort()).toEqual([`${name} one`, `${name} two`]);
  }
});

test('a table of decisions may have such columns beside its own', async () => {
  const key = 'ab'.repeat(32);
  const header = ['id', 'render_key', 'decision', ...NAMES];
  const row = ['fox', key, 'rejected', ...NAMES.map(() => 'x')];
  const csv = [header, row].map((cells) => cells.map(quoted).join(',')).join('\n');
  expect(await readDecisions(Buffer.from(csv), 'decisions.csv')).toEqual(new Map([['fox', new Set([key])]]));
});

test('a long text and many stars are matched in one pass', () => {
  const job = { metadata: { note: 'a'.repeat(20_000) } } as unknown as Job;
  expect(matches(job, { column: 'note', pattern: '*a*a*b' })).toBe(false);
  expect(matches(job, { column: 'note', pattern: '*a*a*a' })).toBe(true);
});

test('a star matches anything, and every other character itself', () => {
  const like = (value: string, pattern: string) =>
    matches({ metadata: { note: value } } as unknown as Job, { column: 'note', pattern });
  const asRegExp = (pattern: string) =>
    new RegExp(
      `^${pattern
        .split('*')
        .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')}$`,
      's',
    );
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\n'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 6 });
  fc.assert(
    fc.property(text, pattern, (value, asked) => {
      expect(like(value, asked)).toBe(asRegExp(asked).test(value));
    }),
  );
});
