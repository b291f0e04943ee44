import { count, make } from './dom.ts';
import { type Column, columnsOf, type Filter, isActive, NO_FILTER } from './filters.ts';
import type { Review } from './review.ts';

/** Columns next to the search; the others are behind a button. */
const FIRST = ['status', 'size'];

const isFirst = ({ name, isCarried }: Column): boolean => !isCarried && FIRST.includes(name);

const keyOf = ({ name, isCarried }: Column): string => `${isCarried ? 'catalog' : 'ours'} ${name}`;

type Control = HTMLSelectElement | HTMLInputElement;

/** The search, and a control for each column in which rows differ. */
export class FilterBar {
  readonly element = make('form', { className: 'filters', role: 'search', ariaLabel: 'Filter' });
  readonly search = make('input', { type: 'search', placeholder: 'Search id, prompt, columns', ariaLabel: 'Search' });
  readonly #review: Review;
  readonly #decision = make('select', { ariaLabel: 'decision' });
  readonly #first = make('span', { className: 'first' });
  readonly #others = make('div', { className: 'others' });
  readonly #more = make('details', { className: 'more' });
  readonly #summary = make('summary', {});
  readonly #clear = make('button', { type: 'button', className: 'quiet' }, 'Clear filters');
  readonly #matches = make('output', { className: 'matches' });
  #controls: { column: Column; control: Control }[] = [];

  constructor(review: Review, { changed, submitted }: { changed: () => void; submitted: () => void }) {
    this.#review = review;
    this.#decision.append(...options([['any', 'any decision'], ['undecided'], ['approved'], ['rejected']]));
    this.#clear.onclick = () => this.#reset();
    this.#more.append(this.#summary, this.#others);
    this.element.append(this.search, this.#decision, this.#first, this.#more, this.#clear, this.#matches);
    this.element.addEventListener('input', () => {
      this.#apply();
      changed();
    });
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      submitted();
    });
    document.addEventListener('pointerdown', ({ target }) => {
      if (target instanceof Node && !this.#more.contains(target)) this.#more.open = false;
    });
    this.#more.addEventListener('keydown', ({ key }) => {
      if (key !== 'Escape') return;
      this.#more.open = false;
      this.#summary.focus();
    });
    review.onChange(() => this.#tell());
    this.offerColumns();
  }

  /** Offers the values of the loaded rows; choices are kept. */
  offerColumns(): void {
    const chosen = new Map(this.#controls.map(({ column, control }) => [keyOf(column), control.value]));
    const rows = [...this.#review.rows].map(([, row]) => row);
    const columns = columnsOf(rows, this.#review.rows.head);
    this.#controls = columns.map((column) => ({ column, control: controlOf(column, chosen.get(keyOf(column)) ?? '') }));
    this.#first.replaceChildren(
      ...this.#controls.filter(({ column }) => isFirst(column)).map(({ control }) => control),
    );
    this.#others.replaceChildren(
      ...this.#controls
        .filter(({ column }) => !isFirst(column))
        .map(({ column, control }) => make('label', {}, make('span', {}, column.name), control)),
    );
    this.#more.hidden = this.#others.childElementCount === 0;
    this.#apply();
  }

  #apply(): void {
    const columns = this.#controls.flatMap(({ column, control }) => {
      const chosen = chosenOf(control);
      return chosen === null ? [] : [{ column, chosen }];
    });
    const decision = this.#decision.value as Filter['decision'];
    this.#review.filter = { text: this.search.value, decision, columns };
  }

  #reset(): void {
    this.search.value = '';
    this.#decision.value = NO_FILTER.decision;
    for (const { control } of this.#controls) control.value = '';
    this.#apply();
    this.search.focus();
  }

  #tell(): void {
    const { matches, rows, filter } = this.#review;
    const { jobs } = rows.head;
    this.#clear.hidden = !isActive(filter);
    this.#matches.textContent = isActive(filter) ? `${count(matches.length)} of ${count(jobs)}` : `${count(jobs)} rows`;
    const chosen = filter.columns.filter(({ column }) => !isFirst(column)).length;
    this.#summary.textContent = chosen === 0 ? 'More filters' : `More filters (${chosen})`;
  }
}

/** An option's value is the column's value after a prefix, because the column's value may be empty. */
const chosenOf = (control: Control): string | null => {
  if (control.value === '') return null;
  return control instanceof HTMLSelectElement ? control.value.slice(1) : control.value;
};

function controlOf({ name, values }: Column, chosen: string): Control {
  const control =
    values === null
      ? make('input', { type: 'search', ariaLabel: name, placeholder: 'contains …' })
      : make('select', { ariaLabel: name });
  if (values !== null) {
    const choices = [...values].map(([value, times]): [string, string] => [
      `=${value}`,
      `${value === '' ? '(empty)' : value} (${count(times)})`,
    ]);
    control.append(...options([['', `any ${name}`], ...choices]));
  }
  control.value = chosen;
  return control;
}

const options = (choices: [value: string, text?: string][]): HTMLOptionElement[] =>
  choices.map(([value, text = value]) => make('option', { value }, text));
