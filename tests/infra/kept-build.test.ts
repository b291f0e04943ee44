import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keptBuild, ROOT } from '../../infra/build/kept-build.mjs';

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

test('the same sources are built once', async () => {
  make.mockClear();
  const first = await keptBuild('things', ['package.json', 'catalog'], make);
  expect(existsSync(join(first, 'thing'))).toBe(true);
  expect(await keptBuild('things', ['package.json', 'catalog'], make)).toBe(first);
  expect(make).toHaveBeenCalledTimes(1);
  expect(await keptBuild('things', ['package.json', 'store'], make)).not.toBe(first);
});

test('several processes that build the same at once leave one whole build', async () => {
  const found = await Promise.all([1, 2, 3].map(() => keptBuild('things', ['package.json'], make)));
  expect(new Set(found).size).toBe(1);
  expect(readdirSync(builds())).toHaveLength(1);
});

test('a failed build leaves nothing that could be taken for a build', async () => {
  const fails = async (): Promise<void> => {
    throw new Error('no space left');
  };
  await expect(keptBuild('things', ['package.json'], fails)).rejects.toThrow('no space left');
  const build = await keptBuild('things', ['package.json'], make);
  expect(existsSync(join(build, 'thing'))).toBe(true);
});

test('the error for a cache that cannot be written names it, and says what to do', async () => {
  const file = join(cache, 'file');
  writeFileSync(file, '');
  vi.stubEnv('XDG_CACHE_HOME', file);
  await expect(keptBuild('things', ['package.json'], make)).rejects.toThrow(
    /file.*expected a folder to write builds to.*XDG_CACHE_HOME/,
  );
});

test('a build that was not used for a month is removed, and a newer one is not', async () => {
  for (const [name, days] of [['old', 31] as const, ['newer', 29] as const]) {
    mkdirSync(join(builds(), name), { recursive: true });
    const then = Date.now() / 1000 - days * 86_400;
    utimesSync(join(builds(), name), then, then);
  }
  await keptBuild('things', ['package.json'], make);
  expect(existsSync(join(builds(), 'old'))).toBe(false);
  expect(existsSync(join(builds(), 'newer'))).toBe(true);
});

/** The product as npm installs it for another program: no lock file, and its dependencies beside it. */
function installedForProgram(): { modules: string; build: () => Promise<string> } {
  const modules = join(cache, 'program', 'node_modules');
  const ours = join(modules, 'pixart-batch');
  for (const file of ['infra/build/kept-build.mjs', 'infra/dev/tools.mjs']) cpSync(join(ROOT, file), join(ours, file));
  writeJson(join(ours, 'package.json'), { type: 'module', dependencies: { zod: '4.6.7' } });
  installed(join(modules, 'zod'), '4.6.7');
  const url = pathToFileURL(join(ours, 'infra/build/kept-build.mjs')).href;
  const build = async (): Promise<string> => {
    const copy: { keptBuild: typeof keptBuild } = await import(/* @vite-ignore */ url);
    return copy.keptBuild('things', ['infra'], make);
  };
  return { modules, build };
}

const installed = (folder: string, version: string): void => writeJson(join(folder, 'package.json'), { version });

function writeJson(file: string, value: object): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(value));
}

test('another version of a dependency makes another build, and a package of the program does not', async () => {
  const { modules, build } = installedForProgram();
  const first = await build();
  installed(join(modules, 'left-pad'), '1.3.0');
  expect(await build()).toBe(first);
  installed(join(modules, 'zod'), '4.6.8');
  expect(await build()).not.toBe(first);
});

test('a build is no longer used once npm has moved the packages that it was built with', async () => {
  const { modules, build } = installedForProgram();
  const first = await build();
  mkdirSync(join(modules, 'pixart-batch', 'node_modules'));
  renameSync(join(modules, 'zod'), join(modules, 'pixart-batch', 'node_modules', 'zod'));
  const moved = await build();
  expect(moved).not.toBe(first);
  installed(join(modules, 'zod'), '3.0.0');
  expect(await build()).toBe(moved);
});
