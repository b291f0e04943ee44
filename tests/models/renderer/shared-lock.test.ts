import { expect, test } from 'vitest';
import { SharedLock } from '../../../models/renderer/index.ts';

/** Whether each of these has its turn by now. */
async function begun(...turns: Promise<unknown>[]): Promise<boolean[]> {
  const waiting = new Promise((resolve) => setImmediate(() => resolve('waiting')));
  return Promise.all(turns.map(async (turn) => (await Promise.race([turn, waiting])) !== 'waiting'));
}

test('many hold a shared lock at once, and a request to hold it alone waits for all of them and goes before later ones', async () => {
  const lock = new SharedLock();
  const [first, second] = [await lock.take(false, undefined), await lock.take(false, undefined)];
  const alone = lock.take(true, undefined);
  const late = lock.take(false, undefined);
  expect(await begun(alone, late)).toEqual([false, false]);
  first();
  first();
  expect(await begun(alone)).toEqual([false]);
  second();
  expect(await begun(alone, late)).toEqual([true, false]);
  (await alone)();
  expect(await begun(late)).toEqual([true]);
});

test('a cancelled request to hold a shared lock alone holds up nobody', async () => {
  const lock = new SharedLock();
  const release = await lock.take(false, undefined);
  const cancel = new AbortController();
  const alone = lock.take(true, cancel.signal);
  const late = lock.take(false, undefined);
  expect(await begun(late)).toEqual([false]);
  cancel.abort(new Error('cancelled'));
  await expect(alone).rejects.toThrow('cancelled');
  expect(await begun(late)).toEqual([true]);
  release();
  (await late)();
  await expect(lock.take(true, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  expect(await begun(lock.take(true, undefined))).toEqual([true]);
});

test('of those that wait to hold a shared lock alone, the one with the lowest rank goes first', async () => {
  const lock = new SharedLock();
  const release = await lock.take(false, undefined);
  const [last, first, second] = [4, 3, 3].map((rank) => lock.take(true, undefined, rank));
  release();
  expect(await begun(first!, second!, last!)).toEqual([true, false, false]);
  (await first!)();
  expect(await begun(second!, last!)).toEqual([true, false]);
  (await second!)();
  expect(await begun(last!)).toEqual([true]);
});
