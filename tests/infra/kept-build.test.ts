import { existsSync, mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keptBuild } from '../../infra/build/kept-build.mjs';

let cache: string;

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'pixart-batch-kept-'));
  vi.stubEnv('XDG_CACHE_HOME', cache);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true });
});

const builds = (): string => join(cache, 'pixart-batch', 'things');

const make = vi.fn(async (folder: string) => writeFileSync(join(folder, 'thing'), 'made'));

test('what is made of the same sources is made once', async () => {
  make.mockClear();
  const first = await keptBuild('things', ['package.json', 'catalog'], make);
  expect(existsSync(join(first, 'thing'))).toBe(true);
  expect(await keptBuild('things', ['package.json', 'catalog'], make)).toBe(first);
  expect(make).toHaveBeenCalledTimes(1);
  expect(await keptBuild('things', ['package.json', 'store'], make)).not.toBe(first);
});

test('several that make the same at once leave one whole build', async () => {
  const found = await Promise.all([1, 2, 3].map(() => keptBuild('things', ['package.json'], make)));
  expect(new Set(found).size).toBe(1);
  expect(readdirSync(builds())).toHaveLength(1);
});

test('a build that fails leaves nothing that could be taken for one', async () => {
  const fails = async (): Promise<void> => {
    throw new Error('no space left');
  };
  await expect(keptBuild('things', ['package.json'], fails)).rejects.toThrow('no space left');
  const build = await keptBuild('things', ['package.json'], make);
  expect(existsSync(join(build, 'thing'))).toBe(true);
});

test('a cache that cannot be written is named, with the way out', async () => {
  const file = join(cache, 'file');
  writeFileSync(file, '');
  vi.stubEnv('XDG_CACHE_HOME', file);
  await expect(keptBuild('things', ['package.json'], make)).rejects.toThrow(/file.*can be written.*XDG_CACHE_HOME/);
});

test('a build that nobody used for a month is forgotten, and a newer one is not', async () => {
  for (const [name, days] of [['old', 31] as const, ['newer', 29] as const]) {
    mkdirSync(join(builds(), name), { recursive: true });
    const then = Date.now() / 1000 - days * 86_400;
    utimesSync(join(builds(), name), then, then);
  }
  await keptBuild('things', ['package.json'], make);
  expect(existsSync(join(builds(), 'old'))).toBe(false);
  expect(existsSync(join(builds(), 'newer'))).toBe(true);
});
