/** Rows of which something is to be told: how many, and the lines of the first. */
export type RowsFound = { rows: number; firstLines: number[] };

const LINES_SHOWN = 10;

/** Counts rows as their jobs come, one after the other: those of a row follow each other. */
export class RowCounter {
  readonly #firstLines: number[] = [];
  #rows = 0;
  #last = 0;

  add(line: number): void {
    if (line === this.#last) return;
    this.#last = line;
    this.#rows += 1;
    if (this.#firstLines.length < LINES_SHOWN) this.#firstLines.push(line);
  }

  get found(): RowsFound {
    return { rows: this.#rows, firstLines: [...this.#firstLines] };
  }
}
