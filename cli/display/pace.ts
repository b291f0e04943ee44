/** A rate says something when it comes from at least so many images … */
const IMAGES = 20;

/** … of the last two minutes; slower ones are looked at for up to an hour. */
const RECENT_MS = 120_000;
const LONGEST_MS = 3_600_000;

type Sample = { ms: number; done: number };

/** How fast a count grows, from what was seen of it. */
export class Pace {
  readonly #samples: Sample[] = [];

  /** `ms`: a clock's milliseconds; `done`: the count then. */
  note(ms: number, done: number): void {
    // A resumed or retried batch may begin to count anew.
    if (done < (this.#samples.at(-1)?.done ?? 0)) this.#samples.length = 0;
    if (done !== this.#samples.at(-1)?.done) this.#samples.push({ ms, done });
    while (this.#samples.length > 2 && this.#isOld(ms, done)) this.#samples.shift();
  }

  /** Images a second at this time; `null` before the count has grown. */
  perSecond(ms: number): number | null {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.done === first.done) return null;
    return ((last.done - first.done) / Math.max(ms - first.ms, 1)) * 1_000;
  }

  /** The first sample is no more needed when those after it cover enough time and images. */
  #isOld(ms: number, done: number): boolean {
    const next = this.#samples[1]!;
    const age = ms - next.ms;
    return age > LONGEST_MS || (age > RECENT_MS && done - next.done >= IMAGES);
  }
}
