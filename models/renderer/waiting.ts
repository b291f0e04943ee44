import type { Mutex, Semaphore } from 'async-mutex';

/** Settles as the promise does, or rejects with the signal's reason as soon as it is aborted. The work itself goes on. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Waits for the mutex, first come, first served, until the signal is aborted.
 *
 * @returns the function that releases the mutex
 * @throws the signal's reason
 */
export const takeTurn = (mutex: Mutex, signal: AbortSignal | undefined): Promise<() => void> =>
  untilTurn(mutex.acquire(), signal);

/** The same of a semaphore; `all` of its permits, before all who wait for one, or just one. */
export const takePermits = (
  semaphore: Semaphore,
  all: number | undefined,
  signal: AbortSignal | undefined,
): Promise<() => void> =>
  untilTurn(
    semaphore.acquire(all ?? 1, all === undefined ? 0 : 1).then(([, release]) => release),
    signal,
  );

async function untilTurn(turn: Promise<() => void>, signal: AbortSignal | undefined): Promise<() => void> {
  try {
    return await untilAborted(turn, signal);
  } catch (error) {
    // The queue cannot be left, so a turn that nobody waits for any more is given back when it comes.
    turn.then((release) => release());
    throw error;
  }
}
