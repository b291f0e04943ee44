import { setTimeout as sleep } from 'node:timers/promises';
import { Mutex } from 'async-mutex';
import { takeTurn } from '../models/renderer/index.ts';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** Rejects where the signal is aborted. */
type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

/**
 * Those who wait for one store. One of them asks it at a time, after a pause that grows while it refuses; who is
 * refused goes to the end. When the store is back the others follow without a pause, so that they are served in the
 * order in which they came.
 */
export class StoreLine {
  readonly #turns = new Mutex();
  readonly #firstPauseMs: number;
  readonly #pause: Pause;
  #pauseMs: number;

  constructor(firstPauseMs = FIRST_PAUSE_MS, pause: Pause = (ms, signal) => sleep(ms, undefined, { signal })) {
    this.#firstPauseMs = firstPauseMs;
    this.#pauseMs = firstPauseMs;
    this.#pause = pause;
  }

  /** Asks once. @throws the signal's reason where it was aborted before that */
  async ask<T>(question: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const leave = await takeTurn(this.#turns, signal);
    try {
      await this.#pause(this.#pauseMs, signal).catch(() => signal.throwIfAborted());
      const answer = await question();
      this.#pauseMs = 0;
      return answer;
    } catch (error) {
      if (!signal.aborted) this.#pauseMs = Math.min(2 * this.#pauseMs || this.#firstPauseMs, LONGEST_PAUSE_MS);
      throw error;
    } finally {
      leave();
    }
  }
}
