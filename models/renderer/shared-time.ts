/**
 * Divides a device's time among the images that it computes at once: while it has k of them, each is charged a k-th of
 * the time that passes. The charges add up to the time in which the device had any image.
 */
export class SharedTime {
  readonly #now: () => number;
  #inHand = 0;
  #changed = 0;
  /** The charge of an image that had been in hand all along. */
  #charged = 0;

  /** @param now a monotonic clock, in milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Counts another image.
   *
   * @returns a function that ends it and returns the share of its time that it is charged; 1 if it was alone
   */
  begin(): () => number {
    this.#pass();
    this.#inHand += 1;
    const [begun, before] = [this.#changed, this.#charged];
    return () => {
      this.#pass();
      this.#inHand -= 1;
      const passed = this.#changed - begun;
      // Rounding may put the share slightly above 1.
      return passed === 0 ? 1 : Math.min(1, (this.#charged - before) / passed);
    };
  }

  #pass(): void {
    const now = this.#now();
    if (this.#inHand > 0) this.#charged += (now - this.#changed) / this.#inHand;
    this.#changed = now;
  }
}
