import type { Mutex } from 'async-mutex';
import { untilAborted } from './until-aborted.ts';

/**
 * Waits for the mutex, first come, first served, until the signal is aborted.
 *
 * @returns the function that gives the mutex back
 * @throws the signal's reason
 */
export async function takeTurn(mutex: Mutex, signal: AbortSignal | undefined): Promise<() => void> {
  const turn = mutex.acquire();
  try {
    return await untilAborted(turn, signal);
  } catch (error) {
    // The queue cannot be left, so a turn that nobody waits for any more is given back when it comes.
    turn.then((release) => release());
    throw error;
  }
}
