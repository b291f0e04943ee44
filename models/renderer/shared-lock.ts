import { Semaphore } from 'async-mutex';
import { untilTurn } from './waiting.ts';

/** More than a worker ever has in hand. Not larger, since async-mutex 0.5 counts down from it at each release. */
const EVERYBODY = 10_000;

/** A lock that many hold at the same time, or one alone, who has it before those that came earlier and can share it. */
export class SharedLock {
  readonly #permits = new Semaphore(EVERYBODY);

  /**
   * Waits until those who have the lock allow it, or the signal is aborted.
   *
   * @returns the function that releases the lock
   * @throws the signal's reason
   */
  take(isAlone: boolean, signal: AbortSignal | undefined): Promise<() => void> {
    const turn = isAlone ? this.#permits.acquire(EVERYBODY, 1) : this.#permits.acquire();
    return untilTurn(
      turn.then(([, release]) => release),
      signal,
    );
  }
}
