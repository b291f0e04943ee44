import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ROOT } from './command-line.ts';
import { createWorkplace, type Workplace } from './workplace.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';

let place: Workplace;
let full: string;

beforeAll(async () => {
  place = await createWorkplace();
  full = path.join(place.folder, 'full');
  mkdirSync(full);
  if (isRoot) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', full]);
  // Files may still be created on this disk, but not written.
  if (isRoot) writeFileSync(path.join(full, 'filler'), Buffer.alloc(8192));
});

afterAll(async () => {
  if (isRoot) execFileSync('umount', [full]);
  await place.remove();
});

/** @param output file that standard output goes to */
function run(args: string[], output?: string): { status: number | null; stdout: string; stderr: string } {
  const out = output === undefined ? undefined : openSync(output, 'w');
  try {
    return spawnSync(process.execPath, ['cli/bin.mjs', ...args], {
      cwd: ROOT,
      env: { ...process.env, ...place.environment },
      encoding: 'utf8',
      stdio: ['ignore', out ?? 'pipe', 'pipe'],
    });
  } finally {
    if (out !== undefined) closeSync(out);
  }
}

describe.skipIf(!isRoot)('on a full disk (needs root, to mount a small file system)', () => {
  test('"render" says so, and leaves no part of an image', () => {
    const file = path.join(full, 'fox.png');
    const { status, stderr } = run(['render', 'a fox', '--steps', '2', '--out', file]);
    expect(stderr).toContain(`${file} cannot be written: the disk is full; free some space. Choose another place`);
    expect(status).toBe(2);
    expect(readdirSync(full)).toEqual(['filler']);
  });

  test('"render --force" keeps the image that it could not replace', () => {
    const file = path.join(full, 'filler');
    const link = path.join(place.folder, 'fox.png');
    symlinkSync(file, link);
    const before = readFileSync(file);
    const { status, stderr } = run(['render', 'a fox', '--steps', '2', '--force', '--out', link]);
    expect(stderr).toContain(`${link} cannot be written: the disk is full; free some space. Choose another place`);
    expect(status).toBe(2);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(full)).toEqual(['filler']);
  });

  test('a command whose output is lost does not end as if it had succeeded', () => {
    const file = path.join(full, 'bundles.jsonl');
    const { status, stderr } = run(['bundle', 'info', '--json'], file);
    rmSync(file);
    expect(stderr).toMatch(/^pixart-batch: the output could not be written \(ENOSPC/);
    expect(status).toBe(2);
  });

  test.each([
    ['dev', (folder: string) => ['dev', '--state', folder], /: the disk is full; free some space \(ENOSPC/],
    [
      'encryption new-key',
      (folder: string) => ['encryption', 'new-key', '--file', path.join(folder, 'keys.txt')],
      /^pixart-batch: the disk is full; free some space \(ENOSPC/,
    ],
  ])('"%s" says so, without a stack', (_, args, message) => {
    const { status, stderr } = run(args(full));
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(status).toBe(2);
  });
});

test.runIf(process.platform === 'linux')('"render --force" does not remove a device that is full', () => {
  // A link, so that a failure of this test removes no device.
  const link = path.join(place.folder, 'device.png');
  symlinkSync('/dev/full', link);
  const { status, stderr } = run(['render', 'a fox', '--steps', '2', '--force', '--out', link]);
  expect(stderr).toContain(`${link} cannot be written: the disk is full`);
  expect(status).toBe(2);
  expect(readlinkSync(link)).toBe('/dev/full');
});
