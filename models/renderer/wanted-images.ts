type Options = {
  /** How long the child may take to stop. */
  graceMs: () => number;
  /** Kills the child. */
  end: () => void;
};

/**
 * The images that a child has in hand. A child that does not stop when one is cancelled may be decoding another, however
 * long that takes. So it is killed only once all of them are cancelled, when nobody loses anything.
 */
export class WantedImages {
  readonly #options: Options;
  #inHand = 0;
  #cancelled = 0;
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Whether the child has answered every cancellation. */
  get areAll(): boolean {
    return this.#cancelled === 0;
  }

  /** Counts another image until it leaves. */
  enter(): { cancel(): void; leave(): void } {
    let cancelled = 0;
    this.#count(1, 0);
    return {
      cancel: () => {
        cancelled = 1;
        this.#count(0, 1);
      },
      leave: () => this.#count(-1, -cancelled),
    };
  }

  #count(inHand: number, cancelled: number): void {
    this.#inHand += inHand;
    this.#cancelled += cancelled;
    clearTimeout(this.#deadline);
    if (this.#cancelled === 0 || this.#cancelled < this.#inHand) return;
    this.#deadline = setTimeout(this.#options.end, this.#options.graceMs());
  }
}
