import { button, make } from './dom.ts';
import { CATALOG_ORDER, ordersOf } from './order.ts';
import type { Review } from './review.ts';

/** The control for the order of rows, and its direction. */
export class OrderControl {
  readonly element = make('span', { className: 'order' });
  readonly #review: Review;
  readonly #by = make('select', { ariaLabel: 'order' });
  readonly #direction = button('↑', 'Ascending; click for descending', () => this.#turn(), 'round');
  readonly #changed: () => void;
  #isDescending = false;

  /** Rows can be ordered only when all of them are loaded. */
  set disabled(disabled: boolean) {
    this.#by.disabled = disabled;
    this.#direction.disabled = disabled;
  }

  constructor(review: Review, changed: () => void) {
    this.#review = review;
    const names = ordersOf(review.rows.head).map(({ name }) => name);
    this.#by.append(
      ...['catalog order', ...names.map((name) => `by ${name}`)].map((text, at) =>
        make('option', { value: String(at) }, text),
      ),
    );
    this.#by.onchange = () => this.#apply();
    this.#changed = changed;
    this.element.append(this.#by, this.#direction);
  }

  #turn(): void {
    this.#isDescending = !this.#isDescending;
    this.#direction.textContent = this.#isDescending ? '↓' : '↑';
    this.#direction.title = this.#isDescending ? 'Descending; click for ascending' : 'Ascending; click for descending';
    this.#apply();
  }

  #apply(): void {
    const at = Number(this.#by.value) - 1;
    const by = ordersOf(this.#review.rows.head)[at] ?? CATALOG_ORDER.by;
    this.#review.order = { by, isDescending: this.#isDescending };
    this.#changed();
  }
}
