import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import * as library from '../../client/index.ts';
import { bundleRef, chosenBundle, submitBatch } from '../../client/index.ts';
import { ROOT } from '../../infra/build/kept-build.mjs';
import { type Site, startSite } from '../workflows/site.ts';
import { libraryExamples } from './library-examples.ts';
import { packInto } from './packed.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const run = promisify(execFile);
const examples = libraryExamples();

/** The folder of somebody else's program, with us as a package as npm would install it. */
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'pixart-library-'));
  const packed = await packInto(folder);
  const modules = path.join(folder, 'node_modules');
  mkdirSync(path.join(modules, 'pixart-batch'), { recursive: true });
  const unpack = ['-xzf', packed, '--strip-components', '1'];
  await run('tar', [...unpack, '-C', path.join(modules, 'pixart-batch')]);
  for (const name of readdirSync(path.join(ROOT, 'node_modules'))) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  }
  write('package.json', '{ "type": "module" }');
  write('catalog.csv', 'id,prompt\nfox,a red fox\nowl,a grey owl\ncup,a blue cup\n');
  const cups = Array.from({ length: 1_000 }, (_, row) => `${row % 10 === 0 ? 'draft' : 'cup'}-${row},cup ${row}`);
  write('long.csv', ['id,prompt', ...cups, ''].join('\n'));
});

afterAll(() => rm(folder, { recursive: true }));

const write = (name: string, text: string): void => writeFileSync(path.join(folder, name), text);

/** What plain Node prints of a program in that folder. */
async function printed(program: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  write('program.mjs', program);
  const { stdout } = await run(process.execPath, ['program.mjs'], { cwd: folder, env: { ...process.env, ...env } });
  return stdout;
}

const PLAN = `
import { chosenBundle, planBatch } from 'pixart-batch';

const { jobs, preview } = await planBatch({ catalog: 'catalog.csv', store: 'nothing', bundle: await chosenBundle('pixart-icons') });
console.log(jobs, preview.toRender);
`;

test('a program in plain Node imports the packed library and plans with it', async () => {
  expect(await printed(PLAN)).toBe('3 3\n');
});

test('a program imports the library from a checkout that is linked', async () => {
  const linked = path.join(folder, 'linked');
  mkdirSync(path.join(linked, 'node_modules'), { recursive: true });
  symlinkSync(ROOT, path.join(linked, 'node_modules', 'pixart-batch'));
  writeFileSync(path.join(linked, 'catalog.csv'), 'prompt\na fox\n');
  writeFileSync(path.join(linked, 'program.mjs'), PLAN);
  expect((await run(process.execPath, ['program.mjs'], { cwd: linked })).stdout).toBe('1 1\n');
});

test('the packed command line runs', async () => {
  const bin = path.join(folder, 'node_modules/pixart-batch/cli/bin.mjs');
  const { stdout } = await run(process.execPath, [bin, 'plan', 'catalog.csv', '--bundle', 'pixart-icons'], {
    cwd: folder,
  });
  expect(stdout).toContain('catalog.csv: 3 rows, 3 jobs, 3 different images, with bundle pixart-icons');
});

test('plain Node is given all that the library exports', async () => {
  const names = await printed("console.log(Object.keys(await import('pixart-batch')).join());");
  expect(names.trim().split(',').sort()).toEqual(Object.keys(library).sort());
});

test('a TypeScript program with usual settings has the types, and so have the examples', async () => {
  for (const { name, code } of examples) write(`${name}.example.ts`, code);
  write(
    'typed.ts',
    `import { type BatchPlan, chosenBundle, connect, planBatch } from 'pixart-batch';

const plan: BatchPlan = await planBatch({ catalog: 'catalog.csv', store: 'out', bundle: await chosenBundle() });
export const { jobs }: { jobs: number } = plan;
// @ts-expect-error it may be unknown
export const { stored } = plan.preview;
// @ts-expect-error there is no such method
(await connect()).nothing();
`,
  );
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  };
  write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const tsc = path.join(ROOT, 'node_modules/.bin/tsc');
  const { code = 0, stdout } = await run(tsc, ['-p', folder]).catch((error) => error);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
});

/** Those that go on with what one before has begun. */
const IN_TURN = ['submitBatch', 'watchBatch', 'batchProgress', 'controlBatch', 'cancelBatch', 'retryBatch'];

test('the examples run, against a server and workers', async () => {
  const bundle = bundleRef(await chosenBundle('pixart-icons'));
  const site: Site = await startSite({ bundle, stepMs: () => 5, allow: [folder] });
  try {
    const request = {
      batch: 'summer',
      catalog: path.join(folder, 'long.csv'),
      store: path.join(folder, 'out'),
      bundle,
    };
    await submitBatch(site.client, request);
    const names = examples.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(IN_TURN));
    const turns = [...IN_TURN, ...names.filter((name) => !IN_TURN.includes(name))];
    for (const { name, code } of examples) write(`${name}.mjs`, code);
    const env = { TEMPORAL_ADDRESS: site.client.address };
    const all = await printed(
      turns.map((name) => `console.log('# ${name}');\nawait import('./${name}.mjs');`).join('\n'),
      env,
    );
    for (const name of turns) expect(all).toMatch(new RegExp(`# ${name}\n(?!#).+`));
    expect(all).toContain('spring: 3 jobs, 3 different images');
    expect(all).toMatch(/completed 3 of 3/);
    expect(all).toMatch(/# cancelBatch\ncancelled\n/);
    expect(all).toMatch(/round 2 renders \d+ images/);
  } finally {
    await site.stop();
  }
});

test('the page of the library names everything that there is to call', () => {
  const page = readFileSync(path.join(ROOT, 'docs/library.md'), 'utf8');
  const calls = Object.entries(library).filter(([, value]) => typeof value === 'function');
  for (const [name] of calls) expect(page).toContain(`\`${name}\``);
});
