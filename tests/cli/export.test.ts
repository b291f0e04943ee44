import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { whole } from '../exporting/places.ts';
import { runHere } from './run-here.ts';

async function ready() {
  const { store, to } = await whole();
  return {
    store,
    to,
    run: (...args: string[]) => runHere(['export', 'spring', '--store', fileURLToPath(store.url), '--to', to, ...args]),
  };
}

test('an export says what it wrote, and the next one says that nothing has changed', async () => {
  const { to, run } = await ready();
  const first = await run('--all');
  expect(first).toMatchObject({
    code: 0,
    stdout: `batch spring: 3 images; 3 files written to ${to}, 0 unchanged there\n`,
  });
  expect((await run('--all')).stdout).toBe(`batch spring: 3 images; 0 files written to ${to}, 3 unchanged there\n`);
  const { stdout } = await run(
    '--all',
    '--json',
    '--side',
    '64,32',
    '--density',
    '1x,2x',
    '--name',
    '{id}-{side}.{ext}',
    '--dry-run',
  );
  expect(JSON.parse(stdout)).toMatchObject({
    batch: 'spring',
    dryRun: true,
    pictures: 3,
    left: ['cup.png', 'fox.png', 'owl.png'],
  });
  expect(JSON.parse(stdout).written).toContain('fox-32@2x.png');
});

test('files in the way and images that could not be exported are listed, with exit code 3', async () => {
  const { store, to, run } = await ready();
  await mkdir(to);
  await writeFile(join(to, 'fox.png'), 'mine');
  await rm(join(fileURLToPath(store.url), 'batches/spring/owl.png'));
  const { code, stdout } = await run('--all');
  expect(code).toBe(3);
  expect(stdout).toContain('changed since:\n  fox.png\n');
  expect(stdout).toMatch(/not exported:\n {2}owl: batches\/spring\/owl\.png is missing/);
  expect(await readFile(join(to, 'fox.png'), 'utf8')).toBe('mine');
});

test.each([
  [[], /expected a review, found none/],
  [['--all', '--sign'], /--sign: expected --sign-with and --sign-as/],
  [['--all', '--density', '0x'], /Expected densities from 1x to 8x/],
  [['--all', '--format', 'gif'], /Expected one or more of png, webp, avif, jpeg/],
  [['--all', '--name', '../{id}.{ext}'], /--name: expected a relative name/],
])('%j is wrong usage: exit code 2', async (args, message) => {
  const { run } = await ready();
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(message);
});
