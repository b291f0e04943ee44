/** Rows with something to report: how many, and the lines of the first ones. */
export type RowsFound = { rows: number; firstLines: number[] };

const LINES_SHOWN = 10;

/** Counts rows, given the lines of their jobs in order; jobs of the same row are consecutive. */
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
