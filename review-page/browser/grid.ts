import { Cell, type CellActions } from './cell.ts';
import { make } from './dom.ts';
import { cellPlace, type GridLayout, gridLayout, visibleCells } from './grid-layout.ts';
import type { Review } from './review.ts';
import { Sprites } from './sprites.ts';

/** Sprites are not loaded while the grid scrolls past them. */
const SETTLED_MS = 60;

/** All matches as cells; only those in view exist. */
export class Grid {
  readonly element = make('main', { className: 'grid', ariaLabel: 'Images' });
  readonly #list = make('div', { className: 'cells', role: 'list' });
  readonly #review: Review;
  readonly #actions: CellActions;
  readonly #sprites = new Sprites((sprite) => this.#spriteLoaded(sprite));
  readonly #cells = new Map<number, Cell>();
  readonly #spare: Cell[] = [];
  #layout: GridLayout = gridLayout(1, 0);
  #frame = 0;
  #timer = 0;

  constructor(review: Review, actions: CellActions) {
    this.#review = review;
    this.#actions = actions;
    this.element.append(this.#list);
    this.element.addEventListener('scroll', () => this.#later(false), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(this.element);
    review.onChange(() => this.#later(true));
  }

  get columns(): number {
    return this.#layout.columns;
  }

  /** Whole rows in view. */
  get page(): number {
    return Math.max(1, Math.floor(this.element.clientHeight / this.#layout.rowHeight));
  }

  /** Scrolls to the current cell and focuses it. */
  reveal(): void {
    this.scrollToCurrent();
    this.#cells.get(this.#review.current)?.focus();
  }

  /** Scrolls only as far as needed. */
  scrollToCurrent(): void {
    this.#layout = gridLayout(this.element.clientWidth, this.#review.matches.length);
    this.#list.style.height = `${this.#layout.height}px`;
    const { top } = cellPlace(this.#layout, this.#review.current);
    const { scrollTop, clientHeight } = this.element;
    const bottom = top + this.#layout.rowHeight;
    if (top - 8 < scrollTop) this.element.scrollTop = top - 8;
    else if (bottom > scrollTop + clientHeight) this.element.scrollTop = bottom - clientHeight;
    this.#render(true);
  }

  /** Keeps the cell that was at the top there. */
  #resized(): void {
    const { columns, rowHeight } = this.#layout;
    const top = Math.round(this.element.scrollTop / rowHeight) * columns;
    this.#render(true);
    if (this.#layout.columns !== columns) {
      this.element.scrollTop = Math.floor(top / this.#layout.columns) * this.#layout.rowHeight;
    }
  }

  #all = false;

  #later(all: boolean): void {
    this.#all ||= all;
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#render(this.#all));
  }

  /** @param all whether to update cells that stay in view too */
  #render(all: boolean): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#all = false;
    const { matches, current } = this.#review;
    const { clientWidth, clientHeight, scrollTop } = this.element;
    if (all) {
      this.#layout = gridLayout(clientWidth, matches.length);
      this.#list.style.height = `${this.#layout.height}px`;
    }
    const { from, to } = visibleCells(this.#layout, matches.length, scrollTop, clientHeight);
    // The current cell stays even if it is out of view: it has the focus.
    const isWanted = (place: number) => (place >= from && place < to) || (place === current && place < matches.length);
    for (const [place, cell] of this.#cells) {
      if (isWanted(place)) continue;
      this.#cells.delete(place);
      this.#spare.push(cell);
    }
    for (let place = from; place < to; place++) this.#place(place, all);
    if (current < matches.length) this.#place(current, all);
    for (const cell of this.#spare.splice(0)) cell.element.remove();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wantSprites(), SETTLED_MS);
  }

  #place(place: number, all: boolean): void {
    const there = this.#cells.get(place);
    if (there !== undefined && !all) return;
    const cell = there ?? this.#spare.pop() ?? new Cell(this.#actions);
    this.#cells.set(place, cell);
    const { left, top } = cellPlace(this.#layout, place);
    const { style } = cell.element;
    style.width = `${this.#layout.side}px`;
    style.transform = `translate(${left}px, ${top}px)`;
    style.setProperty('--side', `${this.#layout.side}px`);
    this.#show(cell, place);
    if (!cell.element.isConnected) this.#list.append(cell.element);
  }

  #show(cell: Cell, place: number): void {
    const { rows, decisions, matches, current } = this.#review;
    const index = matches[place]!;
    const row = rows.at(index);
    const slot = rows.spriteOf(index);
    cell.show({
      place,
      total: matches.length,
      side: this.#layout.side,
      isCurrent: place === current,
      row,
      decision: row === undefined ? null : decisions.of(row),
      thumbnail: slot !== null && this.#sprites.has(slot.sprite) ? slot : null,
    });
  }

  #wantSprites(): void {
    const places = [...this.#cells.keys()].sort((a, b) => a - b);
    this.#sprites.want(places.flatMap((place) => this.#spriteAt(place) ?? []));
  }

  #spriteAt(place: number): string | undefined {
    return this.#review.rows.spriteOf(this.#review.matches[place]!)?.sprite;
  }

  #spriteLoaded(sprite: string): void {
    for (const [place, cell] of this.#cells) if (this.#spriteAt(place) === sprite) this.#show(cell, place);
  }
}
