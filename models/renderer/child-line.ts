/** Hands out a fixed set of things, one to a caller at a time: first come, first served. */
export class ChildLine<Child> {
  readonly #free: Child[];
  readonly #isPreferred: (child: Child) => boolean;
  readonly #waiting: ((child: Child) => void)[] = [];

  /** @param isPreferred which of several that are free is given first */
  constructor(children: readonly Child[], isPreferred: (child: Child) => boolean) {
    this.#free = [...children];
    this.#isPreferred = isPreferred;
  }

  /**
   * Waits for the next one that is free, until the signal is aborted. Give it back with `give`.
   *
   * @param place `first`: before all who wait already
   * @throws the signal's reason
   */
  take(signal: AbortSignal | undefined, place: 'first' | 'last' = 'last'): Promise<Child> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(have), 1);
        reject(signal?.reason);
      };
      const have = (child: Child): void => {
        signal?.removeEventListener('abort', leave);
        resolve(child);
      };
      signal?.addEventListener('abort', leave, { once: true });
      if (place === 'first') this.#waiting.unshift(have);
      else this.#waiting.push(have);
      this.#serve();
    });
  }

  /** Gives one back, or for the first time. */
  give(child: Child): void {
    this.#free.push(child);
    this.#serve();
  }

  #serve(): void {
    while (this.#free.length > 0 && this.#waiting.length > 0) {
      const place = Math.max(0, this.#free.findIndex(this.#isPreferred));
      const [child] = this.#free.splice(place, 1);
      this.#waiting.shift()!(child!);
    }
  }
}
