import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ROOT } from '../../infra/build/kept-build.mjs';
import { dropOtherPlatforms } from '../../infra/dev/other-platforms.mjs';
import { packagesAreCurrent } from '../../infra/dev/packages.mjs';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pixart-packages-'));
});

afterEach(() => rm(root, { recursive: true }));

const lock = {
  '': { version: '0.1.0' },
  'node_modules/a': { version: '1.2.3' },
  'node_modules/a-for-another-platform': { version: '1.2.3', optional: true },
};

async function setUp(installed: Record<string, { version: string }> | null): Promise<void> {
  await writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages: lock }));
  if (installed === null) return;
  await mkdir(join(root, 'node_modules'));
  await writeFile(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }));
}

test('packages that the lock file names are current; those of other platforms may be absent', async () => {
  await setUp({ 'node_modules/a': { version: '1.2.3' } });
  expect(packagesAreCurrent(root)).toBe(true);
});

test.each([
  ['nothing is installed', null],
  ['a version differs', { 'node_modules/a': { version: '1.2.4' } }],
  ['a package is missing', {}],
])('packages are not current if %s', async (_, installed) => {
  await setUp(installed);
  expect(packagesAreCurrent(root)).toBe(false);
});

test('an interrupted install does not count', async () => {
  await setUp(null);
  await mkdir(join(root, 'node_modules', 'a'), { recursive: true });
  await writeFile(join(root, 'node_modules', '.package-lock.json'), '{"packages": {"node_modules/a"');
  expect(packagesAreCurrent(root)).toBe(false);
});

describe('the files for other platforms', () => {
  const runtimes = 'node_modules/onnxruntime-node/bin/napi-v6';
  const bridges = 'node_modules/@temporalio/core-bridge/releases';

  beforeEach(async () => {
    for (const runtime of ['darwin/arm64', 'linux/arm64', 'linux/x64', 'win32/x64']) {
      await mkdir(join(root, runtimes, runtime), { recursive: true });
    }
    for (const bridge of ['aarch64-apple-darwin', 'aarch64-unknown-linux-gnu', 'x86_64-unknown-linux-gnu']) {
      await mkdir(join(root, bridges, bridge), { recursive: true });
    }
  });

  const left = async (): Promise<string[]> => [
    ...(await readdir(join(root, runtimes), { recursive: true })),
    ...(await readdir(join(root, bridges))),
  ];

  test.each([
    ['linux', 'x64', ['linux', 'linux/x64', 'x86_64-unknown-linux-gnu']],
    ['darwin', 'arm64', ['darwin', 'darwin/arm64', 'aarch64-apple-darwin']],
  ])('are removed on %s %s', async (platform, arch, expected) => {
    dropOtherPlatforms(root, { platform, arch });
    expect(await left()).toEqual(expected);
  });

  test('stay if there are none for this one', async () => {
    const before = await left();
    dropOtherPlatforms(root, { platform: 'linux', arch: 'riscv64' });
    expect(await left()).toEqual(before);
  });

  test('are recognised by the names that the packages use for this platform', () => {
    const names = readdirSync(join(ROOT, bridges));
    dropOtherPlatforms(root);
    expect(readdirSync(join(root, bridges))).toHaveLength(1);
    expect(names).toContain(readdirSync(join(root, bridges))[0]);
    expect(readdirSync(join(ROOT, runtimes, process.platform))).toContain(process.arch);
  });
});
