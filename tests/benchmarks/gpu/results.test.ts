import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  checkMachine,
  checkWritable,
  imagesPerSecond,
  noResults,
  type Results,
  readResults,
  writeResults,
} from '../../../benchmarks/gpu/results.ts';

const MACHINE = { device: 'NVIDIA H100', memoryBytes: 80e9, isToy: false };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gpu-results-'));
});

afterAll(() => rm(folder, { recursive: true }));

it('reads what it wrote, and leaves nothing else behind', async () => {
  const file = path.join(folder, 'results.json');
  expect(await readResults(file)).toBeNull();
  const results: Results = {
    ...noResults(MACHINE),
    runs: [{ startedAt: '2026-12-01T00:00:00.000Z', minutes: 8, facts: ['GPU: one'] }],
    items: {
      shipped: { state: 'failed', series: { ours: [{ seconds: 1, images: 1, decibels: null }] }, error: 'no memory' },
    },
  };
  await writeResults(file, results);
  expect(await readResults(file)).toEqual(results);
  expect(await readdir(folder)).toEqual(['results.json']);
});

it.each(['[]', '{}', '{"format": 2}'])('refuses a file with %j, and says what it is not', async (text) => {
  const file = path.join(folder, 'other.json');
  await writeFile(file, text);
  await expect(readResults(file)).rejects.toThrow(/other\.json: expected results of benchmarks\/gpu\.ts, found/);
});

it('says of a damaged file that it is not JSON, and of a folder that it is no file', async () => {
  const file = path.join(folder, 'damaged.json');
  await writeFile(file, '{"format": 1, "mach');
  await expect(readResults(file)).rejects.toThrow('found what is not JSON.');
  await expect(readResults(folder)).rejects.toThrow(/expected a file of results, found EISDIR/);
});

it('knows beforehand whether it can write, and leaves nothing behind', async () => {
  const place = path.join(folder, 'place');
  await mkdir(place);
  await checkWritable(path.join(place, 'results.json'));
  expect(await readdir(place)).toEqual([]);
  await expect(checkWritable(path.join(folder, 'none/results.json'))).rejects.toThrow(
    /--results: expected a file that can be written, found ENOENT/,
  );
});

it('adds no figures of another machine, nor of tiny networks', () => {
  const results = noResults(MACHINE);
  expect(() => checkMachine('r.json', results, { ...MACHINE, memoryBytes: 1 })).not.toThrow();
  expect(() => checkMachine('r.json', results, { ...MACHINE, device: 'NVIDIA A100' })).toThrow(
    'r.json: expected results of NVIDIA A100, this machine, found some of NVIDIA H100. Choose another file.',
  );
  expect(() => checkMachine('r.json', results, { ...MACHINE, isToy: true })).toThrow('with toy networks');
  // Without a driver that answers.
  expect(() => checkMachine('r.json', results, { isToy: false })).not.toThrow();
  expect(() => checkMachine('r.json', results, { isToy: true })).toThrow('expected results of a GPU with toy networks');
  const onCpu = noResults({ ...MACHINE, device: 'cpu' });
  expect(() => checkMachine('r.json', onCpu, { isToy: false })).toThrow('expected results of a GPU, this machine');
});

it('knows images a second, the median of the samples', () => {
  const samples = [1, 2, 4].map((seconds) => ({ seconds, images: 16 }));
  const results: Results = { ...noResults(MACHINE), items: { '512': { state: 'done', series: { ours: samples } } } };
  expect(imagesPerSecond(results, '512')).toBe(8);
  expect(imagesPerSecond(results, '512', 'eager')).toBeUndefined();
  expect(imagesPerSecond(results, '256')).toBeUndefined();
});
