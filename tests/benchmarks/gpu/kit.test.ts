import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { programFiles } from '../../../benchmarks/gpu/kit-contents.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gpu-kit-'));
});

afterAll(() => rm(folder, { recursive: true }));

vi.setConfig({ testTimeout: 180_000 });

const kit = (...options: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'benchmarks/gpu-kit.ts', ...options], {
    cwd: ROOT,
    encoding: 'utf8',
  });

it('packs nothing without bundles, says how to make them, and leaves no folder behind', async () => {
  const none = path.join(folder, 'none');
  const { status, stderr } = kit('pack', path.join(folder, 'parts'), '--bundles', none);
  expect(status).toBe(2);
  expect(stderr.trim()).toBe(
    `no bundles xl, xl-2k, pixart-icons, pixart-icons-4-steps in ${none}; make them with: npx tsx benchmarks/gpu-kit.ts bundles ${none}`,
  );
  expect(await readdir(folder)).toEqual([]);
});

it('leaves out nothing that a kit cannot run without', () => {
  const { status, stderr } = kit('pack', path.join(folder, 'parts'), '--without', 'program');
  expect(status).toBe(2);
  expect(stderr).toMatch(/--without: expected names among node, bundles, .*, found program/);
});

it('says what is wrong with its options, without a stack', () => {
  const { status, stderr } = kit('pack', '--bogus');
  expect(status).toBe(2);
  expect(stderr).toMatch(/'--bogus'/);
  expect(stderr).toMatch(/\nSee --help\.\n$/);
  expect(stderr).not.toMatch(/^ +at /m);
});

it('packs the files of the repository that the peer reads', async () => {
  const script = await readFile(path.join(ROOT, 'benchmarks/gpu/peer_models.py'), 'utf8');
  const [, read] = /parents\[2\] \/ "([^"]+)"/.exec(script)!;
  expect(programFiles()).toEqual(expect.arrayContaining(['benchmarks/gpu/peer_models.py', read]));
});
