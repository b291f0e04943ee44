import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type ImportGraph, importGraph } from './import-graph.ts';
import { breaches, circles, type ImportRule, importRules } from './import-rules.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let rules: ImportRule[];

beforeAll(async () => {
  rules = importRules(await readFile(path.join(ROOT, 'CONTRIBUTING.md'), 'utf8'));
});

describe('the sources', () => {
  let graph: ImportGraph;

  beforeAll(async () => {
    graph = await importGraph(ROOT, ['.', 'review-page/browser']);
  });

  it("import what CONTRIBUTING's table allows", () => {
    expect(breaches(graph, rules)).toEqual([]);
  });

  it('import each other in no circle', () => {
    expect(circles(graph)).toEqual([]);
  });

  it('are all looked at', async () => {
    const files = await Promise.all(rules.map(({ folder }) => sourcesIn(folder)));
    expect(files.flat().filter((file) => !graph.has(file))).toEqual([]);
  });
});

async function sourcesIn(folder: string): Promise<string[]> {
  const names = await readdir(path.join(ROOT, folder), { recursive: true });
  return names
    .filter((name) => /\.(ts|mjs)$/.test(name))
    .map((name) => path.posix.join(folder, ...name.split(path.sep)));
}

/** A project with the given files. */
async function planted(files: Record<string, string>): Promise<ImportGraph> {
  const root = await mkdtemp(path.join(tmpdir(), 'pixart-imports-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const compilerOptions = {
    module: 'nodenext',
    types: [],
    allowJs: true,
    checkJs: true,
    allowImportingTsExtensions: true,
  };
  const all = { ...files, 'package.json': '{"type":"module"}', 'tsconfig.json': JSON.stringify({ compilerOptions }) };
  for (const [name, text] of Object.entries(all)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  return importGraph(root, ['.']);
}

it('an import that is not allowed is named with its rule, however it is written', async () => {
  const plan = 'workflows/contract/plan.ts';
  const ways = {
    'catalog/value.ts': `import { plan } from '../${plan}'; export default plan;`,
    'catalog/type.ts': `import type { Plan } from '../${plan}'; export type P = Plan;`,
    'catalog/type-among-values.ts': `import { type Plan } from '../${plan}'; export type P = Plan;`,
    'catalog/type-passed-on.ts': `export type { Plan } from '../${plan}';`,
    'catalog/type-in-place.ts': `export type P = import('../${plan}').Plan;`,
    'catalog/loaded-later.ts': `export const load = () => import('../${plan}');`,
    'catalog/type-of-plain-javascript.mjs': `/** @type {import('../${plan}').Plan} */\nexport const plan = 1;`,
  };
  const graph = await planted({ ...ways, [plan]: 'export type Plan = 1; export const plan: Plan = 1;' });
  const told = Object.keys(ways).map((file) => `${file} imports ${plan}: catalog may import domain`);
  expect(breaches(graph, rules).toSorted()).toEqual(told.toSorted());
});

it('a circle is found, though types alone make it, and its files are named', async () => {
  const graph = await planted({
    'domain/a.ts': "import type { B } from './b.ts'; export type A = B;",
    'domain/b.ts': "import type { C } from './c.ts'; export type B = C | 1;",
    'domain/c.ts': "import type { A } from './a.ts'; export type C = A;",
  });
  expect(circles(graph)).toEqual([
    expect.stringMatching(/^domain\/(.)\.ts imports .* imports domain\/\1\.ts: no import goes in a circle$/),
  ]);
});

describe("CONTRIBUTING's table", () => {
  const one = (file: string, target: string): string[] => breaches(new Map([[file, new Set([target])]]), rules);

  it.each([
    ['activities/index.ts', 'workflows/batch/ledger.ts'],
    ['workflows/batch/batch.ts', 'records/layout.ts'],
    ['workflows/contract/plan.ts', 'workflows/batch/ledger.ts'],
    ['client/index.ts', 'workflows/batch/ledger.ts'],
    ['domain/job.ts', 'catalog/shards.ts'],
    ['review-page/browser/main.ts', 'review-page/row.ts'],
    ['review-page/page.ts', 'review-page/browser/main.ts'],
    ['infra/dev/local-fleet.ts', 'client/index.ts'],
    ['a-new-folder/file.ts', 'domain/job.ts'],
  ])('does not let %s import %s', (file, target) => {
    expect(one(file, target)).toEqual([expect.stringContaining(file)]);
  });

  it.each([
    ['activities/index.ts', 'workflows/contract/plan.ts'],
    ['workflows/batch/batch.ts', 'workflows/shard/failure.ts'],
    ['review-page/browser/main.ts', 'review-page/format.ts'],
    ['infra/dev/local-fleet.ts', 'connection/temporal-target.ts'],
    ['tests/cli/help.test.ts', 'cli/main.ts'],
  ])('lets %s import %s', (file, target) => {
    expect(one(file, target)).toEqual([]);
  });

  const table = (cell: string) => `| folder | may import |\n| --- | --- |\n| \`a/\` | ${cell} |\n`;

  it('is refused where a row says more than a rule can', () => {
    expect(() => importRules(table('`b` (some of it)'))).toThrow('found: `b` (some of it)');
  });

  it('is missed where it is not there', () => {
    expect(() => importRules('# Contributing')).toThrow('expected a table with a column "may import"');
  });
});
