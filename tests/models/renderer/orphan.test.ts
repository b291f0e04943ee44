import { fork } from 'node:child_process';
import { on } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isAlive, until } from './tiny-renderer.ts';

const PARENT = fileURLToPath(new URL('./renderer-parent.ts', import.meta.url));

/** What Linux tells of a process; nothing where the process has gone, or from another system. */
function statusOf(pid: number): { isUnreaped: boolean; processorTime: number } | null {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [state, ...numbers] = fields.split(' ');
    // One that is unreaped has ended and still has its number, because the process that inherited it has not asked yet.
    return { isUnreaped: state === 'Z', processorTime: Number(numbers[10]) + Number(numbers[11]) };
  } catch {
    return null;
  }
}

type Message = { pid: number } | { step: number };

/** Only Linux tells how much processor time another process has spent. Elsewhere it is proved that the child ends, not how soon. */
const isLinux = process.platform === 'linux';
const howSoon = isLinux ? ', before the end of the step that it is in' : '';

test(`a child whose parent was killed ends by itself${howSoon}`, async () => {
  const parent = fork(PARENT, [], { execArgv: ['--import', import.meta.resolve('tsx')] });
  let child = 0;
  // In processor time: how long a step takes is the machine's affair.
  let spent = 0;
  const spentSince = (before: number): number => {
    spent = statusOf(child)?.processorTime ?? spent;
    return spent - before;
  };
  let stepBegan = 0;
  let stepTook = 0;
  for await (const [message] of on(parent, 'message') as AsyncIterable<[Message]>) {
    if ('pid' in message) child = message.pid;
    else if (message.step === 1) stepBegan = spentSince(0);
    else {
      stepTook = spentSince(stepBegan);
      break;
    }
  }
  const killed = spent;
  expect(isAlive(child)).toBe(true);
  parent.kill('SIGKILL');
  let spentAlone = 0;
  await until(() => {
    spentAlone = spentSince(killed);
    return !isAlive(child) || statusOf(child)?.isUnreaped === true;
  });
  // It looks for its parent twice a second; one that finished the step would have spent as much as for the one before.
  if (isLinux) expect(spentAlone).toBeLessThan(0.75 * stepTook);
}, 180_000);
