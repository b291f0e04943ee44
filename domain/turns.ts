import { setImmediate } from 'node:timers/promises';

/** Cells of a table that are handled in one turn of the event loop: some ten milliseconds. */
export const TURN_CELLS = 10_000;

/** So many bytes of JSON lines take about as long as that. */
export const TURN_BYTES = 256 * 2 ** 10;

/**
 * Cuts long work into turns of the event loop, by what has been done and not by rows, which may be as wide as they like: a process beats
 * and serves other batches between them.
 */
export class Turns {
  readonly #most: number;
  #done = 0;

  /** @param most what may be done in one turn */
  constructor(most: number = TURN_CELLS) {
    this.#most = most;
  }

  /** Notes what has been done; once it is a turn's work, others have theirs before this resolves. Nothing is to be waited for until then. */
  after(done: number): Promise<void> | undefined {
    this.#done += done;
    if (this.#done < this.#most) return undefined;
    this.#done = 0;
    return setImmediate();
  }
}

/** Cuts items into runs, each of a turn's work but for an item that alone is more. */
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

/** All pieces as one, each made in a turn of its own. */
export async function gathered(pieces: Iterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for (const piece of pieces) {
    all.push(piece);
    await setImmediate();
  }
  return Buffer.concat(all);
}
