import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
])('packages are not current where %s', async (_, installed) => {
  await setUp(installed);
  expect(packagesAreCurrent(root)).toBe(false);
});

test('an install that was interrupted does not count', async () => {
  await setUp(null);
  await mkdir(join(root, 'node_modules', 'a'), { recursive: true });
  await writeFile(join(root, 'node_modules', '.package-lock.json'), '{"packages": {"node_modules/a"');
  expect(packagesAreCurrent(root)).toBe(false);
});
