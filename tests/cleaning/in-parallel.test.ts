import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inParallel } from '../../cleaning/in-parallel.ts';

/** A listing that records whether it was closed, as a folder's handle has to be. */
function listing(items: number) {
  const seen = { taken: 0, isClosed: false };
  async function* source() {
    try {
      for (; seen.taken < items; seen.taken += 1) yield seen.taken;
    } finally {
      seen.isClosed = true;
    }
  }
  return { seen, source: source() };
}

test('every item is processed once, a few at a time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(200), async (items) => {
      const { source } = listing(items);
      const done: number[] = [];
      let now = 0;
      let most = 0;
      await inParallel(source, async (item) => {
        now += 1;
        most = Math.max(most, now);
        await sleep(0);
        now -= 1;
        done.push(item);
      });
      expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: items }, (_, item) => item));
      expect(most).toBeGreaterThanOrEqual(Math.min(items, 2));
      expect(most).toBeLessThanOrEqual(32);
    }),
    { numRuns: 20 },
  );
});

test('after a failure no more items are started, those in progress are awaited, and the listing is closed', async () => {
  const { seen, source } = listing(1_000);
  let underWay = 0;
  const working = inParallel(source, async (item) => {
    underWay += 1;
    if (item === 5) await Promise.reject(new Error('the sixth')).finally(() => underWay--);
    await sleep(20);
    underWay -= 1;
  });
  await expect(working).rejects.toThrow('the sixth');
  expect(underWay).toBe(0);
  expect(seen).toEqual({ taken: expect.any(Number), isClosed: true });
  expect(seen.taken).toBeLessThan(50);
});

test('after a signal no more items are started, and it ends without an error once those in progress have', async () => {
  const { seen, source } = listing(1_000);
  const stop = new AbortController();
  let underWay = 0;
  const work = async (item: number): Promise<void> => {
    underWay += 1;
    if (item === 5) stop.abort();
    await sleep(20);
    underWay -= 1;
  };
  await inParallel(source, work, stop.signal);
  expect(underWay).toBe(0);
  expect(seen.isClosed).toBe(true);
  expect(seen.taken).toBeLessThan(50);
});
