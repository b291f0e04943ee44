import type { SheetRow } from '../format.ts';
import type { Decisions } from './decisions.ts';
import type { Decision } from './decisions-csv.ts';
import { type Filter, isActive, matcher, NO_FILTER } from './filters.ts';
import { type Order, ordered } from './order.ts';
import type { Rows } from './rows.ts';

/** What is being looked at: the rows that the filter lets pass, in their order, and the current one among them. */
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
  /** All rows in their order; `null` while some are not here. */
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
    // What was looked at stays current where it passes the new filter too.
    this.moveTo(Math.max(0, index === undefined ? 0 : this.matches.indexOf(index)));
  }

  /** Puts the rows in order, when all of them are here. Who has gone on to one of them stays at it. */
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
    // Rows that are not here yet have their places already.
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
