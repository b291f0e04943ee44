import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isAlive, until } from './tiny-renderer.ts';

const PARENT = fileURLToPath(new URL('./renderer-parent.ts', import.meta.url));

test('a child whose parent was killed ends by itself, in the middle of a step', async () => {
  const parent = fork(PARENT, [], { execArgv: ['--import', import.meta.resolve('tsx')] });
  const [{ pid }] = (await once(parent, 'message')) as [{ pid: number }];
  await once(parent, 'message');
  await sleep(1_000);
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !isAlive(pid));
});
