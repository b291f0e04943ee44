import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleRef, chosenBundle } from '../../client/index.ts';
import { latestBatchName, ratesName } from '../../records/layout.ts';
import { runHere } from './run-here.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function plan(text: string, ...options: string[]): Promise<string> {
  const catalog = join(folder, 'catalog.csv');
  await writeFile(catalog, text);
  const store = ['--store', join(folder, 'out')];
  const { code, stdout, stderr } = await runHere(['plan', catalog, '--bundle', 'pixart-icons', ...store, ...options]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

test('a plan tells of negative prompts that guidance 1 leaves without effect', async () => {
  const rows = 'prompt,negative_prompt,guidance\na fox,blurry,1\na dog,,1\na cat,blurry,\n';
  expect(await plan(rows)).toContain('1 row with a negative prompt that has no effect: guidance 1 is without it');
  expect(JSON.parse(await plan(rows, '--json'))).toMatchObject({ jobs: 3, unheardNegatives: 1 });
  expect(await plan('prompt,negative_prompt\na fox,blurry\n')).not.toContain('negative');
  expect(await plan('prompt,negative_prompt\na fox,blurry\n', '--bundle', 'pixart-icons-4-steps')).toContain(
    'no effect',
  );
});

test('a plan asks of a column that is spelt almost as one of ours', async () => {
  const catalog = join(folder, 'typo.csv');
  await writeFile(catalog, 'prompt,Negativ Prompt,variant,team,no,sku\na fox,blurry,2,shop,7,k1\n');
  const { stderr } = await runHere(['plan', catalog, '--bundle', 'pixart-icons', '--store', join(folder, 'out')]);
  expect(stderr.trim().split('\n')).toEqual([
    'column "Negativ Prompt" changes no picture and is carried along; was negative_prompt meant?',
    'column "variant" changes no picture and is carried along; was variants meant?',
  ]);
});

test('a plan tells which rows have a prompt or negative prompt that is longer than the model reads', async () => {
  const long = 'blurry '.repeat(200);
  expect(await plan(`prompt,negative_prompt\na fox,\na dog,${long}\n${long},\n`)).toContain(
    '2 rows with a prompt of more than 120 tokens, whose end the model does not see: line 3, 4',
  );
});

test('a plan tells which columns travel along, and those that the table has of its own', async () => {
  const told = await plan('prompt,team,status\na fox,shop,new\n');
  expect(told).toMatch(/^carried along to the manifest: team$/m);
  expect(told).toMatch(/^carried along to manifest\.jsonl, since manifest\.csv has such columns of its own: status$/m);
});

test('a plan goes on without what of the store is damaged, and says so', async () => {
  const catalog = join(folder, 'catalog.csv');
  await writeFile(catalog, 'prompt\na fox\n');
  const store = join(folder, 'damaged');
  const { digest } = bundleRef(await chosenBundle('pixart-icons'));
  for (const name of [ratesName(digest), latestBatchName(pathToFileURL(catalog).href)]) {
    await mkdir(join(store, dirname(name)), { recursive: true });
    await writeFile(join(store, name), '{"format":2,"bun');
  }
  const args = ['plan', catalog, '--bundle', 'pixart-icons', '--store', store];
  const { code, stdout, stderr } = await runHere(args);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('to render: 1') });
  expect(stderr).toMatch(
    /^no estimate is made: rates\/.* is damaged: expected what images of a bundle took, found what is no JSON/m,
  );
  expect(stderr).toMatch(
    /^what has changed since the last batch of the catalog is not known: catalogs\/.* is damaged/m,
  );
  const json = await runHere([...args, '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({
    jobs: 1,
    deviceSeconds: null,
    warnings: [expect.any(String), expect.any(String)],
  });
});
