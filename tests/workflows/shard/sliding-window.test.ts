import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slidingWindow } from '../../../workflows/shard/sliding-window.ts';

/** Lets every promise that can continue do so. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Work that ends in an order chosen by the test. */
function controlled() {
  const open = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  const work = (item: number): Promise<void> =>
    new Promise((resolve, reject) => {
      open.set(item, { resolve, reject });
    });
  const end = async (item: number, error?: Error): Promise<void> => {
    const { resolve, reject } = open.get(item)!;
    open.delete(item);
    if (error) reject(error);
    else resolve();
    await settle();
  };
  return { open, work, end };
}

describe('a sliding window', () => {
  it('takes every item once, in order, and keeps its width filled whatever ends first', async () => {
    const cases = fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 8 }), fc.infiniteStream(fc.nat()));
    await fc.assert(
      fc.asyncProperty(cases, async ([count, width, choices]) => {
        const taken: number[] = [];
        const { open, work, end } = controlled();
        const items = Array.from({ length: count }).keys();
        const done = slidingWindow(items, width, (item) => {
          taken.push(item);
          return work(item);
        });
        for (let ended = 0; ended < count; ended += 1) {
          await settle();
          expect(open.size).toBe(Math.min(width, count - ended));
          const running = [...open.keys()];
          await end(running[choices.next().value! % running.length]!);
        }
        await done;
        expect(taken).toEqual([...Array.from({ length: count }).keys()]);
      }),
      { numRuns: 50 },
    );
  });

  it('starts nothing new while paused, and ends when running work has ended', async () => {
    let paused = false;
    let ended = false;
    const { open, work, end } = controlled();
    const items = [1, 2, 3, 4, 5].values();
    const done = slidingWindow(items, 2, work, () => (paused ? 'stop' : 'go')).then(() => {
      ended = true;
    });
    await settle();
    paused = true;
    await end(1);
    expect({ open: [...open.keys()], ended }).toEqual({ open: [2], ended: false });
    await end(2);
    await done;
    expect([...items]).toEqual([3, 4, 5]);
  });

  it('waits for all running work before it throws an error', async () => {
    const { work, end } = controlled();
    let failed: unknown = null;
    const done = slidingWindow([1, 2].values(), 2, work).catch((error) => {
      failed = error;
    });
    await settle();
    const error = new Error('stop');
    await end(1, error);
    expect(failed).toBeNull();
    await end(2);
    await done;
    expect(failed).toBe(error);
  });
});
