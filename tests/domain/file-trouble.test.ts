import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fileTrouble } from '../../domain/file-trouble.ts';

test.runIf(process.platform === 'linux')('an error of the file system says what to do', async () => {
  const error = await writeFile('/dev/full', 'x').catch((error: unknown) => error);
  expect(fileTrouble(error)).toBe('the disk is full; free some space');
});

test('a program that cannot be run has nothing to do with a folder', () => {
  const { error } = spawnSync(tmpdir());
  expect(error).toMatchObject({ code: 'EACCES' });
  expect(fileTrouble(error)).toBeNull();
});

test('an address that cannot be listened on has nothing to do with a folder', async () => {
  // Node reports a missing folder in this way.
  const server = createServer().listen(path.join(tmpdir(), 'no-such-folder', 'socket'));
  const [error] = await once(server, 'error');
  expect(error).toMatchObject({ code: 'EACCES' });
  expect(fileTrouble(error)).toBeNull();
});
