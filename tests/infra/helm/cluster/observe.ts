import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

const began = performance.now();
const seconds = (sinceMs: number): string => `${Math.round((performance.now() - sinceMs) / 1000)} s`;

export const say = (text: string): void => console.log(`\n== ${text} (at ${seconds(began)})`);

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Looks until it sees what is expected, and prints both and how long it took. */
export type Observe = <T>(what: string, expected: T, look: () => Promise<T>, withinSeconds?: number) => Promise<void>;

/**
 * @param check throws where looking on makes no sense
 */
export const observing =
  (check: () => void): Observe =>
  async (what, expected, look, withinSeconds = 60) => {
    const since = performance.now();
    for (;;) {
      check();
      const seen = await look().catch((error: Error) => error.message);
      if (isDeepStrictEqual(seen, expected)) {
        console.log(`${what}: expected ${text(expected)}, seen ${text(seen)} after ${seconds(since)}`);
        return;
      }
      if (performance.now() - since > withinSeconds * 1000) {
        throw new Error(`${what}: expected ${text(expected)}, seen ${text(seen)} for ${seconds(since)}`);
      }
      await sleep(500);
    }
  };

/** Looks until something has happened, and prints what was seen: nothing but what is expected. */
export async function observeUntil<T>(what: string, expected: T, look: () => Promise<T>, end: Promise<unknown>) {
  const since = performance.now();
  let isOver = false;
  end.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const seen = await look();
    if (!isOver && !isDeepStrictEqual(seen, expected)) {
      throw new Error(`${what}: expected ${text(expected)} all the time, seen ${text(seen)} after ${seconds(since)}`);
    }
    await sleep(500);
  }
  await end;
  console.log(`${what}: expected ${text(expected)}, seen nothing else for ${seconds(since)}`);
}
