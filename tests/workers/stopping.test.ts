import { EventEmitter, once } from 'node:events';
import type { Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { untilStopped } from '../../workers/stopping.ts';

/** What `untilStopped` uses of a worker, which runs until it is let end or fail. */
function working() {
  const events = new EventEmitter();
  const run = async (): Promise<void> => void (await once(events, 'end'));
  const shutdown = () => events.emit('shutdown');
  return { events, worker: { run, shutdown, getState: () => 'RUNNING' } as unknown as Worker };
}

test('without a deadline one worker that fails stops the other, whose end is waited for', async () => {
  const [one, other] = [working(), working()];
  const told = once(other.events, 'shutdown');
  const seen: string[] = [];
  const stopped = untilStopped([one.worker, other.worker], []).catch((error: Error) => seen.push(error.message));
  one.events.emit('error', new Error('the server is away'));
  await told;
  await new Promise(setImmediate);
  seen.push('a record was finished');
  other.events.emit('end');
  await stopped;
  expect(seen).toEqual(['a record was finished', 'the server is away']);
});
