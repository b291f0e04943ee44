import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { itemsOf, TOY } from '../../benchmarks/gpu/items.ts';
import { readResults } from '../../benchmarks/gpu/results.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const PYTHON = path.join(ROOT, 'models/python.sh');

/** What only a machine with a GPU needs, or one without Python. */
const WITHOUT = ['provider', 'cuda', 'diffusers', 'torch'].flatMap((name) => ['--without', name]);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gpu-kit-'));
});

afterAll(() => rm(folder, { recursive: true }));

function run(command: string, args: string[], cwd = ROOT): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  expect(status, `${command} ${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

test('what is exported and packed here runs there, with peers, from whatever folder', {
  timeout: 1_800_000,
}, async () => {
  const [bundles, parts, kit] = ['bundles', 'parts', 'elsewhere/kit'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  const gpuKit = ['--import', 'tsx', 'benchmarks/gpu-kit.ts'];
  run(process.execPath, [...gpuKit, 'bundles', bundles, '--toy']);
  run(process.execPath, [...gpuKit, 'pack', parts, '--bundles', bundles, '--part', '20MB', ...WITHOUT]);
  expect((await readdir(parts)).length).toBeGreaterThan(3);
  run('sh', [path.join(parts, 'join.sh'), kit]);

  const results = path.join(folder, 'results.json');
  const options = ['--toy', '--device', 'cpu', '--python', PYTHON, '--minutes', '60', '--results', results];
  const stdout = run('sh', [path.join(kit, 'run.sh'), ...options], folder);
  expect(stdout).toContain('with toy networks, whose figures mean nothing');
  expect(stdout).toMatch(/commit\s[0-9a-f]{7}/);
  const { items } = (await readResults(results))!;
  for (const { name, series } of itemsOf(TOY)) {
    expect(items[name]?.state, name).toBe('done');
    expect(Object.keys(items[name]!.series).sort(), name).toEqual(Object.keys(series).sort());
  }
  const samples = Object.values(items).flatMap(({ series }) => Object.values(series).flat());
  expect(samples.filter((sample) => sample.isFinite === false)).toEqual([]);
});
