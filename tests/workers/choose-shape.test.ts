import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { openBundle } from '../../models/pixart/index.ts';
import {
  candidateShapes,
  mostChildren,
  onnxruntimeVersion,
  type PoolShape,
  processorModel,
  usableCores,
} from '../../models/renderer/index.ts';
import { chooseShape } from '../../workers/choose-shape.ts';
import { keepMeasurement, keptMeasurement, type Measurement } from '../../workers/kept-measurements.ts';
import { type RenderConfig, renderConfig } from '../../workers/render-config.ts';

const TINY = fileURLToPath(new URL('../golden/bundles/tiny-velocity', import.meta.url));
const bundle = await openBundle(TINY);
const log = pino({ level: 'silent' });
let cache: string;

beforeEach(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-cache-'));
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });
  vi.stubEnv('XDG_CACHE_HOME', folder);
  cache = path.join(folder, 'pixart-batch', 'children');
});

const choose = (settings: Partial<RenderConfig>) => {
  const config = renderConfig({ bundle: TINY, device: 'cpu', sizes: [], graceSeconds: 0, ...settings });
  // Nothing may be measured: that would be given up at once.
  return chooseShape(config, { bundle, sizes: ['256'] }, log, AbortSignal.abort(new Error('measured')));
};

const about: Measurement<PoolShape> = {
  kind: 'children',
  bundleDigest: bundle.digest,
  size: '256',
  processor: processorModel(),
  onnxruntime: onnxruntimeVersion(),
  candidates: candidateShapes(usableCores(), await mostChildren(bundle, ['256'], { hasEncoder: true })),
};

/** The last shape makes the most. */
const rated = (shapes: readonly PoolShape[]) => shapes.map((shape, i) => ({ ...shape, imagesPerMinute: 10 * (i + 1) }));

test('children and threads that are given are taken as they are, and nothing is measured', async () => {
  const cores = usableCores();
  expect(await choose({ children: 3, threads: 2 })).toEqual({ children: 3, threads: 2 });
  expect(await choose({ threads: 5 })).toEqual({ children: 1, threads: 5 });
  expect(await choose({ children: 1 })).toEqual({ children: 1, threads: cores });
  expect(await choose({ children: 2 * cores })).toEqual({ children: 2 * cores, threads: 1 });
});

test('a GPU has one process unless more are asked for', async () => {
  expect(await choose({ device: 'cuda:0' })).toEqual({ children: 1, threads: undefined });
  expect(await choose({ device: 'cuda:0', children: 2 })).toEqual({ children: 2, threads: undefined });
});

test.runIf(about.candidates.length > 1)(
  'what was measured before is taken, and measured where nothing is kept',
  async () => {
    await expect(choose({})).rejects.toThrow('measured');
    await keepMeasurement(about, { rates: rated(about.candidates), isWhole: true });
    expect(await choose({})).toEqual(about.candidates.at(-1));
  },
);

test.each<Partial<Measurement<PoolShape>>>([
  { bundleDigest: 'f'.repeat(64) },
  { size: '512' },
  { processor: 'another' },
  { onnxruntime: '0.0.1' },
  { candidates: [{ children: 1, threads: 1 }] },
])('a measurement of something else is not taken: %j', async (change) => {
  const other = { ...about, ...change };
  await keepMeasurement(other, { rates: rated(other.candidates), isWhole: true });
  expect(await keptMeasurement(about)).toBeNull();
  expect(await keptMeasurement(other)).toEqual(rated(other.candidates));
});

test.each([
  { children: 1_000_000, threads: 1 },
  { children: 1, threads: 0 },
])('a kept shape that was not asked for is not taken: %j', async (shape) => {
  await keepMeasurement(about, { rates: rated([shape]), isWhole: true });
  expect(await keptMeasurement(about)).toBeNull();
});

test('a measurement that was cut short is kept for a day, and one that is damaged counts as none', async () => {
  await keepMeasurement(about, { rates: [], isWhole: false });
  expect(await keptMeasurement(about)).toEqual([]);
  vi.useFakeTimers({ now: Date.now() + 25 * 3_600_000, toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  expect(await keptMeasurement(about)).toBeNull();
  const [file] = await readdir(cache);
  await writeFile(path.join(cache, file!), '{');
  expect(await keptMeasurement(about)).toBeNull();
});
