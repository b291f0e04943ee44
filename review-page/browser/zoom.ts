import { carriedOf, shortOf, textsOf } from './columns.ts';
import type { Decision } from './decisions-csv.ts';
import { addressOf, button, count, make } from './dom.ts';
import type { Review } from './review.ts';
import { Stage } from './stage.ts';

const KEY_ZOOM = 1.25;
const KEY_PAN = 80;

const labelOf = (name: string): string => (name === 'negative_prompt' ? 'without' : name);

/** The current image at full size, on top of the grid. */
export class Zoom {
  readonly element = make('dialog', { className: 'zoom', ariaLabel: 'Image' });
  readonly #review: Review;
  readonly #stage = new Stage(() => this.#tellView());
  readonly #place = make('span', { className: 'place' });
  readonly #id = make('strong');
  readonly #prompt = make('p');
  readonly #facts = make('dl');
  readonly #toggle = make('button', { type: 'button', title: 'Fit or 100 % (f)' });
  readonly #decide: Record<Decision, HTMLButtonElement>;
  #shown = '';

  constructor(review: Review, compare: () => void) {
    this.#review = review;
    this.#decide = {
      approved: button('✓ Approve', 'Approve (a)', () => this.#press('approved'), 'approve'),
      rejected: button('✕ Reject', 'Reject (r)', () => this.#press('rejected'), 'reject'),
    };
    this.#toggle.onclick = () => this.#stage.toggle();
    const bar = make(
      'div',
      { className: 'bar' },
      button('←', 'Previous (arrow left)', () => review.moveTo(review.current - 1)),
      this.#place,
      button('→', 'Next (arrow right)', () => review.moveTo(review.current + 1)),
      this.#toggle,
      make('span', { className: 'space' }),
      this.#decide.approved,
      this.#decide.rejected,
      button('Compare', 'Compare with others of its row (c)', compare),
      button('✕', 'Close (Esc)', () => this.element.close(), 'close'),
    );
    const text = make('div', { className: 'about' }, this.#id, this.#prompt, this.#facts);
    this.element.append(bar, this.#stage.element, text);
    review.onChange(() => this.#update());
  }

  get isOpen(): boolean {
    return this.element.open;
  }

  open(): void {
    if (this.#review.currentRow === undefined || this.isOpen) return;
    this.element.showModal();
    this.#stage.element.focus();
    this.#shown = '';
    this.#update();
  }

  /** @returns whether the key was handled */
  key(event: KeyboardEvent): boolean {
    const stage = this.#stage;
    const pan: Record<string, [number, number]> = {
      ArrowLeft: [KEY_PAN, 0],
      ArrowRight: [-KEY_PAN, 0],
      ArrowUp: [0, KEY_PAN],
      ArrowDown: [0, -KEY_PAN],
    };
    const moves: Record<string, () => void> = {
      ArrowLeft: () => this.#review.moveTo(this.#review.current - 1),
      ArrowUp: () => this.#review.moveTo(this.#review.current - 1),
      ArrowRight: () => this.#review.moveTo(this.#review.current + 1),
      ArrowDown: () => this.#review.moveTo(this.#review.current + 1),
      f: () => stage.toggle(),
      '+': () => stage.zoom(KEY_ZOOM),
      '=': () => stage.zoom(KEY_ZOOM),
      '-': () => stage.zoom(1 / KEY_ZOOM),
    };
    const way = pan[event.key];
    if (event.shiftKey && way !== undefined) stage.pan(...way);
    else if (moves[event.key] !== undefined) moves[event.key]!();
    else return false;
    return true;
  }

  /** Pressing a button again reverts its decision. */
  #press(decision: Decision): void {
    const row = this.#review.currentRow;
    if (row === undefined) return;
    if (this.#review.decisions.of(row) === decision) this.#review.decide(row, null);
    else this.#review.decideAndGoOn(decision);
  }

  #update(): void {
    if (!this.isOpen) return;
    const { currentRow: row, current, matches, decisions } = this.#review;
    // After a decision, the filter may have no match left.
    if (row === undefined) {
      this.element.close();
      return;
    }
    this.#place.textContent = `${count(current + 1)} of ${count(matches.length)}`;
    const decision = decisions.of(row);
    this.element.dataset.decision = decision ?? '';
    for (const [name, control] of Object.entries(this.#decide)) {
      control.ariaPressed = String(name === decision);
      control.disabled = row.file === '';
    }
    if (this.#shown === row.id) return;
    this.#shown = row.id;
    this.element.dataset.id = row.id;
    if (row.file === '') this.#stage.say(`${row.status}: ${row.reason}`);
    else this.#stage.show(row);
    this.#toggle.hidden = row.file === '';
    this.#id.textContent = row.id;
    this.#prompt.textContent = row.prompt;
    this.#showFacts();
    this.#preload();
  }

  #showFacts(): void {
    const row = this.#review.currentRow!;
    const { head } = this.#review.rows;
    // The pixels show the size.
    const short = shortOf(head).filter(({ name }) => name !== 'size');
    const facts: [string, string][] = [
      ['pixels', `${row.width} × ${row.height}`],
      ...[...short, ...textsOf(head), ...carriedOf(head)].map(({ name, textOf }): [string, string] => [
        labelOf(name),
        textOf(row),
      ]),
    ];
    this.#facts.replaceChildren(
      ...facts
        .filter(([, value]) => value !== '')
        .map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))),
    );
  }

  /** Loads the neighbours, so that moving to them does not wait. */
  #preload(): void {
    for (const step of [1, -1]) {
      const file = this.#review.rowAt(this.#review.current + step)?.file ?? '';
      if (file !== '') new Image().src = addressOf(file);
    }
  }

  #tellView(): void {
    this.#toggle.textContent = this.#stage.fits ? `Fit (${this.#stage.percent} %)` : `${this.#stage.percent} %`;
  }
}
