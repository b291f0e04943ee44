import type { Mutex } from 'async-mutex';

/** Settles as the promise does, or rejects with the signal's reason as soon as it is aborted. The work itself continues. */
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

/** Resolves after a time, or rejects with the signal's reason as soon as it is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await untilAborted(over, signal).finally(() => clearTimeout(timer));
}

/**
 * Waits for the mutex, first come, first served, until the signal is aborted.
 *
 * @returns the function that releases the mutex
 * @throws the signal's reason
 */
export async function takeTurn(mutex: Mutex, signal: AbortSignal | undefined): Promise<() => void> {
  const turn = mutex.acquire();
  try {
    return await untilAborted(turn, signal);
  } catch (error) {
    // Nobody can leave the queue, so an abandoned turn is released when it comes.
    turn.then((release) => release());
    throw error;
  }
}
