/** The time limit of a run. */
export class Budget {
  readonly #now: () => number;
  readonly #endMs: number;

  /** @param now milliseconds of a clock */
  constructor(minutes: number, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#endMs = now() + 60_000 * minutes;
  }

  /** Seconds that are left; 0 once the time is over. */
  get left(): number {
    return Math.max(0, (this.#endMs - this.#now()) / 1_000);
  }

  fits(seconds: number): boolean {
    return seconds <= this.left;
  }
}
