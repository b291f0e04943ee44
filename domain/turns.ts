import { setImmediate } from 'node:timers/promises';

/** Cells of a table to handle in one turn of the event loop: about ten milliseconds. */
export const TURN_CELLS = 10_000;

/** This many bytes of JSON lines take about as long. */
export const TURN_BYTES = 256 * 2 ** 10;

/**
 * Cuts long work into turns of the event loop, measured by work and not by rows, which vary in width: in between, the process
 * sends heartbeats and serves other batches.
 */
export class Turns {
  readonly #most: number;
  #done = 0;

  /** @param most maximum work in one turn */
  constructor(most: number = TURN_CELLS) {
    this.#most = most;
  }

  /**
   * Counts work; once a turn's work is done, yields to others before it resolves. Before that it returns `undefined`:
   * nothing to await.
   */
  after(done: number): Promise<void> | undefined {
    this.#done += done;
    if (this.#done < this.#most) return undefined;
    this.#done = 0;
    return setImmediate();
  }
}

/** Cuts items into runs of at most `most` work, except for single items that are more. */
export function* runsOf<T>(items: Iterable<T>, workOf: (item: T) => number, most: number): Generator<T[]> {
  let run: T[] = [];
  let work = 0;
  for (const item of items) {
    const more = workOf(item);
    if (run.length > 0 && work + more > most) {
      yield run;
      run = [];
      work = 0;
    }
    run.push(item);
    work += more;
  }
  if (run.length > 0) yield run;
}

/** Concatenates pieces, each made in its own turn. */
export async function gathered(pieces: Iterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for (const piece of pieces) {
    all.push(piece);
    await setImmediate();
  }
  return Buffer.concat(all);
}
