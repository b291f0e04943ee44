/** A rate is meaningful if it is based on at least this many images … */
const IMAGES = 20;

/** … from the last two minutes; slower batches are measured over up to an hour. */
const RECENT_MS = 120_000;
const LONGEST_MS = 3_600_000;

type Sample = { ms: number; done: number };

/** How fast a count grows, from samples of it. */
export class Pace {
  readonly #samples: Sample[] = [];

  /** `ms`: the time in milliseconds; `done`: the count at that time. */
  note(ms: number, done: number): void {
    // A resumed or retried batch may start counting from zero.
    if (done < (this.#samples.at(-1)?.done ?? 0)) this.#samples.length = 0;
    if (done !== this.#samples.at(-1)?.done) this.#samples.push({ ms, done });
    while (this.#samples.length > 2 && this.#isOld(ms, done)) this.#samples.shift();
  }

  /** Images per second at this time; `null` until the count has grown. */
  perSecond(ms: number): number | null {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.done === first.done) return null;
    return ((last.done - first.done) / Math.max(ms - first.ms, 1)) * 1_000;
  }

  /** The first sample can go once the later ones cover enough time and images. */
  #isOld(ms: number, done: number): boolean {
    const next = this.#samples[1]!;
    const age = ms - next.ms;
    return age > LONGEST_MS || (age > RECENT_MS && done - next.done >= IMAGES);
  }
}
