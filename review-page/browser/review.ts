import type { SheetRow } from '../format.ts';
import type { Decisions } from './decisions.ts';
import type { Decision } from './decisions-csv.ts';
import { type Filter, isActive, matcher, NO_FILTER } from './filters.ts';
import { type Order, ordered } from './order.ts';
import type { Rows } from './rows.ts';

/** The state of a review: the rows that match the filter, in order, and the current one. */
export class Review {
  readonly rows: Rows;
  readonly decisions: Decisions;
  /** Indices of rows. */
  matches: number[] = [];
  /** Position among the matches. */
  current = 0;
  /** Number of pictures with each decision, among all rows. */
  counts: Record<Decision, number> = { approved: 0, rejected: 0 };
  #filter: Filter = NO_FILTER;
  /** All rows in order; `null` while some are not loaded. */
  #inOrder: number[] | null = null;
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
    // The current row stays current if it matches the new filter too.
    this.moveTo(Math.max(0, index === undefined ? 0 : this.matches.indexOf(index)));
  }

  /** Orders the rows, once all of them are loaded. A current row other than the first stays current. */
  set order(order: Order) {
    const index = this.current === 0 ? undefined : this.matches[this.current];
    this.#inOrder = ordered(this.rows, order);
    this.refresh();
    this.moveTo(index === undefined ? 0 : this.matches.indexOf(index));
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

  /** Decides on the current picture and moves to the next one; rows without a picture are skipped. */
  decideAndGoOn(decision: Decision): void {
    const index = this.matches[this.current];
    const row = this.currentRow;
    if (row === undefined) return;
    this.decide(row, decision);
    // With a filter by decision, it may no longer match, and the next one is already in its place.
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

  /** Updates the matches after rows or decisions have changed. */
  refresh(): void {
    // Rows that are not loaded yet already have their places.
    const all = this.#inOrder ?? Array.from({ length: this.rows.head.jobs }, (_, index) => index);
    this.matches = isActive(this.#filter) ? this.#passing(all) : all;
    this.current = Math.min(this.current, Math.max(0, this.matches.length - 1));
    this.#count();
    this.#tell();
  }

  #passing(all: number[]): number[] {
    const test = matcher(this.#filter, this.rows.head);
    return all.filter((index) => {
      const row = this.rows.at(index);
      return row !== undefined && test(row, this.decisions.of(row));
    });
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
