import type { StepInputs } from './step-inputs.ts';

/**
 * While others wait, a bin has this many calls before it is the next one's turn: shapes that alternate may cost a
 * device its plans.
 */
export const CALLS_IN_A_ROW = 8;

/** A prediction that an image waits for. */
export type Waiting = StepInputs & {
  resolve(rows: Float32Array[], together: number): void;
  reject(error: unknown): void;
  /** Answers an image that needs no prediction any more; whether it is one. */
  isDropped(): boolean;
};

/**
 * Images whose steps may share calls. The bin is ready once each of them that is between two steps has asked: a call
 * with fewer would leave the rest to a call of their own.
 */
export class Bin {
  /** Images that are between two steps: they ask, rest or leave without waiting for anything. */
  awaited = 0;
  /** Images that have not left. */
  images = 0;
  /** Calls since its turn began. */
  calls = 0;
  readonly waiting: Waiting[] = [];
  #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get isReady(): boolean {
    return this.waiting.length > 0 && this.awaited === 0;
  }

  /** The next call's images: those that have waited longest. */
  take(): Waiting[] {
    this.calls += 1;
    return this.waiting.splice(0, this.#most);
  }

  /** For a device that could not compute this many at once, but each of them alone. */
  shareLess(together: number): void {
    this.#most = Math.max(1, Math.floor(together / 2));
  }
}

/**
 * Bins in the order of their turns. Each keeps its turn for some calls, and waits for its own images rather than let
 * another bin in between.
 */
export class BinTurns {
  readonly #bins = new Map<string | symbol, Bin>();

  /** The bin of this name, which has `most` images a call. */
  of(name: string | symbol, most: number): Bin {
    const bin = this.#bins.get(name) ?? new Bin(most);
    this.#bins.set(name, bin);
    return bin;
  }

  remove(name: string | symbol): void {
    this.#bins.delete(name);
  }

  /** The bin that may have the device now; undefined where none waits, or it is about to be ready. */
  next(): Bin | undefined {
    this.#pass();
    for (const bin of this.#bins.values()) {
      if (bin.awaited > 0) return undefined;
      if (bin.isReady) return bin;
    }
    return undefined;
  }

  /** Ends the first bin's turn where it has had its calls and another one waits. */
  #pass(): void {
    const [first, ...others] = this.#bins;
    if (first === undefined || first[1].calls < CALLS_IN_A_ROW) return;
    if (!others.some(([, { waiting }]) => waiting.length > 0)) return;
    const [name, bin] = first;
    bin.calls = 0;
    this.#bins.delete(name);
    this.#bins.set(name, bin);
  }
}
