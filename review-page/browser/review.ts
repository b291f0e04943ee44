import type { SheetRow } from '../format.ts';
import type { Decisions } from './decisions.ts';
import type { Decision } from './decisions-csv.ts';
import { type Filter, isActive, matcher, NO_FILTER } from './filters.ts';
import type { Rows } from './rows.ts';

/** What is being looked at: the rows that the filter lets pass, and the current one among them. */
export class Review {
  readonly rows: Rows;
  readonly decisions: Decisions;
  /** Indices of rows. */
  matches: number[] = [];
  /** Place among the matches. */
  current = 0;
  /** How many pictures have each decision, of all rows. */
  counts: Record<Decision, number> = { approved: 0, rejected: 0 };
  #filter: Filter = NO_FILTER;
  readonly #listeners: (() => void)[] = [];

  constructor(rows: Rows, decisions: Decisions) {
    this.rows = rows;
    this.decisions = decisions;
    this.refresh();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  get filter(): Filter {
    return this.#filter;
  }

  set filter(filter: Filter) {
    const index = this.matches[this.current];
    this.#filter = filter;
    this.refresh();
    // What was looked at stays current where it passes the new filter too.
    this.moveTo(Math.max(0, index === undefined ? 0 : this.matches.indexOf(index)));
  }

  get currentRow(): SheetRow | undefined {
    return this.rowAt(this.current);
  }

  rowAt(place: number): SheetRow | undefined {
    const index = this.matches[place];
    return index === undefined ? undefined : this.rows.at(index);
  }

  moveTo(place: number): void {
    this.current = Math.min(Math.max(0, place), Math.max(0, this.matches.length - 1));
    this.#tell();
  }

  /** Decides on the current picture and goes on to the next one; rows without a picture are passed over. */
  decideAndGoOn(decision: Decision): void {
    const index = this.matches[this.current];
    const row = this.currentRow;
    if (row === undefined) return;
    this.decide(row, decision);
    // With a filter by decision it may have left, and the next one is in its place already.
    let next = this.matches[this.current] === index ? this.current + 1 : this.current;
    while (this.rowAt(next)?.file === '') next += 1;
    if (next < this.matches.length) this.moveTo(next);
  }

  decide(row: SheetRow, decision: Decision | null): void {
    if (row.file === '') return;
    this.decisions.decide([{ ...row, decision }]);
    this.refresh();
  }

  undo(): void {
    const picture = this.decisions.undo();
    if (picture === null) return;
    this.refresh();
    const place = this.matches.findIndex((index) => this.rows.at(index)?.id === picture.id);
    if (place >= 0) this.moveTo(place);
  }

  /** Finds the matches anew, after rows or decisions changed. */
  refresh(): void {
    if (isActive(this.#filter)) {
      const test = matcher(this.#filter, this.rows.head);
      this.matches = [];
      for (const [index, row] of this.rows) if (test(row, this.decisions.of(row))) this.matches.push(index);
    } else if (this.matches.length !== this.rows.head.jobs) {
      // Rows that are not here yet have their places already.
      this.matches = Array.from({ length: this.rows.head.jobs }, (_, index) => index);
    }
    this.current = Math.min(this.current, Math.max(0, this.matches.length - 1));
    this.#count();
    this.#tell();
  }

  #count(): void {
    this.counts = { approved: 0, rejected: 0 };
    for (const [, row] of this.rows) {
      const decision = this.decisions.of(row);
      if (decision !== null) this.counts[decision] += 1;
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
