import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { BUNDLES, itemsOf, TOY, withoutPeers } from '../../../benchmarks/gpu/items.ts';
import { type Results, readResults } from '../../../benchmarks/gpu/results.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const GOLDEN = path.join(ROOT, 'tests/golden/bundles/tiny-epsilon');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gpu-'));
  for (const name of BUNDLES) await cp(GOLDEN, path.join(folder, 'bundles', name), { recursive: true });
});

afterAll(() => rm(folder, { recursive: true }));

vi.setConfig({ testTimeout: 180_000 });

const LIST = withoutPeers(itemsOf(TOY));
const ON_CPU = ['--device', 'cpu', '--toy', '--without-peers', '--minutes', '60'];

function gpu(options: string[], env: NodeJS.ProcessEnv = process.env) {
  const args = ['--import', 'tsx', 'benchmarks/gpu.ts', '--bundles', path.join(folder, 'bundles'), ...options];
  return spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', env });
}

it('measures the whole list on a processor with tiny networks, and a second run repeats nothing', async () => {
  const file = path.join(folder, 'results.json');
  const first = gpu([...ON_CPU, '--results', file]);
  expect([first.status, first.stdout.includes('not reached')], first.stderr).toEqual([0, false]);
  const results = (await readResults(file)) as Results;
  expect(results.machine).toMatchObject({ device: 'cpu', isToy: true });
  for (const { name } of LIST) expect(results.items[name]?.state, name).toBe('done');
  const ours = (item: string, series = 'ours') => results.items[item]!.series[series]![0]!;
  expect(ours('512')).toMatchObject({ images: TOY.images, together: TOY.together });
  expect(ours('512', 'alone')).toMatchObject({ images: 1, together: 1 });
  expect(ours('1024').decodeSeconds).toBeGreaterThan(0);
  expect(ours('memory-1024').memoryBytes).toBeGreaterThan(10e6);
  // A processor draws what a processor draws.
  expect(ours('shipped', 'pixart-icons').decibels).toBeNull();
  expect(first.stdout).toContain('| 1024 px, one at a time | s an image | diffusers fp16 eager | not measured | ');

  const second = gpu([...ON_CPU, '--results', file]);
  expect(second.status, second.stderr).toBe(0);
  const after = JSON.parse(await readFile(file, 'utf8')) as Results;
  expect(after.items).toEqual(results.items);
});

it('ends with a code of its own where the time is too short, and names what it did not reach', async () => {
  const file = path.join(folder, 'short.json');
  const { status, stdout, stderr } = gpu([...ON_CPU, '--results', file, '--minutes', '0.01']);
  expect(status, stderr).toBe(4);
  for (const { name } of LIST) expect(stdout).toContain(`not reached: ${name} (`);
});

it('says everything that is missing on a machine without a GPU', () => {
  const { status, stderr } = gpu(['--bundles', path.join(folder, 'none'), '--python', path.join(folder, 'python')], {
    ...process.env,
    PATH: folder,
  });
  expect(status).toBe(3);
  expect(stderr).toMatch(/missing: NVIDIA's driver: nvidia-smi cannot be run/);
  expect(stderr).toMatch(/missing: .*CUDA provider: /);
  expect(stderr).toMatch(/missing: Python: .*Name one with --python/);
  expect(stderr).toMatch(/missing: bundles: xl, xl-2k, pixart-icons, pixart-icons-4-steps not found in /);
});

it('prints the list without measuring, and refuses what it does not understand', () => {
  const dry = gpu([...ON_CPU, '--dry-run', '--results', path.join(folder, 'no.json')]);
  expect(dry.status, dry.stderr).toBe(0);
  for (const { name, what } of LIST) expect(dry.stdout).toMatch(new RegExp(`^${name} .*open .*${what[0]}`, 'm'));
  expect(gpu(['--device', 'gpu']).stderr).toContain('--device: expected cuda:0, another number, or cpu, found gpu');
  const { status, stderr } = gpu(['--minutes', 'eight']);
  expect([status, stderr.trim()]).toEqual([2, '--minutes: expected a number above 0, found eight']);
});
