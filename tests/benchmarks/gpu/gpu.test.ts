import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { DOCUMENT } from '../../../benchmarks/gpu/document.ts';
import { BUNDLES, itemsOf, TOY, withoutPeers } from '../../../benchmarks/gpu/items.ts';
import { noResults, type Results, readResults } from '../../../benchmarks/gpu/results.ts';

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
  expect(first.stdout).toMatch(
    /^\| 1024 px, one at a time +\| s an image +\| diffusers fp16 eager +\| not measured \| /m,
  );

  const second = gpu([...ON_CPU, '--results', file]);
  expect(second.status, second.stderr).toBe(0);
  const after = JSON.parse(await readFile(file, 'utf8')) as Results;
  expect(after.items).toEqual(results.items);
});

it('ends with a code of its own where the time is too short, and names what it did not reach', async () => {
  const file = path.join(folder, 'short.json');
  const { status, stdout, stderr } = gpu([...ON_CPU, '--results', file, '--minutes', '0.001']);
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

it.each([
  ['NVIDIA B200, 183359, 570.10, 10.0', /missing: NVIDIA's driver: expected 580 or later, for CUDA 13, found 570\.10/],
  ['NVIDIA B200, 183359, 570.10, 10.0', /missing: a GPU that .* 7\.5, 8, 9 or 12, found 10\.0 \(NVIDIA B200\)/],
  [
    'NVIDIA GB10, [N/A], 580.95, 12.1',
    /missing: NVIDIA's driver: .* how much memory the GPU has: NVIDIA GB10, \[N\/A\]/,
  ],
])('says before it starts what ONNX Runtime cannot use: %s', async (said, missing) => {
  const programs = await mkdtemp(path.join(folder, 'bin-'));
  await writeFile(path.join(programs, 'nvidia-smi'), `#!/bin/sh\necho '${said}'\n`, { mode: 0o755 });
  const PATH = `${programs}:${process.env.PATH}`;
  const { status, stderr } = gpu(['--dry-run', '--without-peers'], { ...process.env, PATH });
  expect(status, stderr).toBe(3);
  expect(stderr).toMatch(missing);
});

it('tells tiny networks from those of XL/2, and how to make the others', () => {
  const { status, stderr } = gpu(['--device', 'cpu', '--without-peers', '--dry-run']);
  expect(status).toBe(3);
  for (const name of ['xl', 'xl-2k'])
    expect(stderr).toContain(
      `missing: bundle ${name}: expected PixArt-Σ XL/2, 16 heads of 72, found 2 heads of 24 in `,
    );
  const none = gpu([...ON_CPU, '--dry-run', '--bundles', path.join(folder, 'none')]);
  expect(none.stderr).toContain('npx tsx benchmarks/gpu-kit.ts bundles FOLDER --toy');
});

it('shows no figures of another machine as its own, not even in a dry run', async () => {
  const file = path.join(folder, 'others.json');
  await writeFile(file, JSON.stringify(noResults({ device: 'NVIDIA H100', memoryBytes: 1, isToy: true })));
  const { status, stdout, stderr } = gpu([...ON_CPU, '--dry-run', '--results', file]);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain('expected results of cpu with toy networks, this machine, found some of NVIDIA H100');
});

it('writes no table of nothing over good figures, and starts no run whose figures it cannot write', async () => {
  const document = await readFile(DOCUMENT, 'utf8');
  const { status, stderr } = gpu(['--tables', '--results', path.join(folder, 'no.json')]);
  expect([status, stderr.trim()]).toEqual([2, `no results in ${path.join(folder, 'no.json')}`]);
  expect(await readFile(DOCUMENT, 'utf8')).toBe(document);
  const lost = gpu([...ON_CPU, '--results', path.join(folder, 'none/x.json')]);
  expect(lost.status).toBe(2);
  expect(lost.stderr).toMatch(/^--results: expected a file that can be written, found ENOENT/);
});

it.each([[['--minuts', '3']], [['foo']], [['--minutes', '-1']]])(
  'says what is wrong with %j, without a stack',
  (options) => {
    const { status, stderr } = gpu(options);
    expect(status).toBe(2);
    expect(stderr).toContain(options[0]);
    expect(stderr).toMatch(/\nSee --help\.\n$/);
    expect(stderr).not.toMatch(/^ +at /m);
  },
);

it('prints the list without measuring, and refuses what it does not understand', () => {
  const dry = gpu([...ON_CPU, '--dry-run', '--results', path.join(folder, 'no.json')]);
  expect(dry.status, dry.stderr).toBe(0);
  for (const { name, what } of LIST) expect(dry.stdout).toMatch(new RegExp(`^${name} .*open .*${what[0]}`, 'm'));
  expect(dry.stdout).not.toMatch(/diffusers|transformers in|compiled/);
  expect(gpu(['--device', 'gpu']).stderr).toContain('--device: expected cuda:0, another number, or cpu, found gpu');
  const { status, stderr } = gpu(['--minutes', 'eight']);
  expect([status, stderr.trim()]).toEqual([2, '--minutes: expected a number above 0, found eight']);
});
