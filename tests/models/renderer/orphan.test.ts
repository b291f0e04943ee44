import { fork } from 'node:child_process';
import { on } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isAlive, until } from './tiny-renderer.ts';

const PARENT = fileURLToPath(new URL('./renderer-parent.ts', import.meta.url));

/** A process that has ended and still has its number, because the one that inherited it has not asked yet. */
function isUnreaped(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // Gone by now, or a system without /proc.
    return false;
  }
}

type Message = { pid: number } | { step: number };

test('a child whose parent was killed ends by itself, long before the step that it is in', async () => {
  const parent = fork(PARENT, [], { execArgv: ['--import', import.meta.resolve('tsx')] });
  let child = 0;
  let stepBegan = 0;
  let stepTook = 0;
  for await (const [message] of on(parent, 'message') as AsyncIterable<[Message]>) {
    if ('pid' in message) child = message.pid;
    else if (message.step === 2) stepTook = performance.now() - stepBegan;
    stepBegan = performance.now();
    if (stepTook > 0) break;
  }
  expect(isAlive(child)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !isAlive(child) || isUnreaped(child));
  expect(performance.now() - stepBegan).toBeLessThan(stepTook / 2);
}, 180_000);
