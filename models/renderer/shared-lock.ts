type Waiter = { isAlone: boolean; rank: number; begin(): void };

/**
 * A lock that many hold at the same time, or one alone. Requests to hold it alone go first, by rank and then in the order
 * in which they arrived; an aborted request holds nobody up.
 */
export class SharedLock {
  readonly #waiting = new Set<Waiter>();
  #holders = 0;
  #isHeldAlone = false;

  /**
   * Waits until the holders of the lock allow it, or the signal is aborted.
   *
   * @param rank among the requests to hold it alone; the lowest goes first
   * @returns the function that releases the lock
   * @throws the signal's reason
   */
  take(isAlone: boolean, signal: AbortSignal | undefined, rank = 0): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const giveUp = (): void => {
        this.#waiting.delete(waiter);
        reject(signal?.reason);
        this.#next();
      };
      const waiter: Waiter = {
        isAlone,
        rank,
        begin: () => {
          signal?.removeEventListener('abort', giveUp);
          this.#waiting.delete(waiter);
          this.#holders += 1;
          this.#isHeldAlone = isAlone;
          resolve(this.#releaseOnce());
        },
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(waiter);
      this.#next();
    });
  }

  #releaseOnce(): () => void {
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#holders -= 1;
      this.#isHeldAlone = false;
      this.#next();
    };
  }

  #next(): void {
    if (this.#isHeldAlone) return;
    const [first] = [...this.#waiting].filter(({ isAlone }) => isAlone).sort((a, b) => a.rank - b.rank);
    if (first === undefined) for (const waiter of [...this.#waiting]) waiter.begin();
    else if (this.#holders === 0) first.begin();
  }
}
