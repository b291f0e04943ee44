import type { SheetRow } from '../format.ts';
import type { Decision } from './decisions-csv.ts';
import { addressOf, button, make } from './dom.ts';
import { differences, type Kinship, relatives } from './relatives.ts';
import type { Review } from './review.ts';

const MOST_ZOOM = 8;
const WHEEL_STEP = 1.0015;
const KEY_ZOOM = 1.25;

/** Images of one catalog row or prompt side by side; zoom and pan move all of them. */
export class Compare {
  readonly element = make('dialog', { className: 'compare', ariaLabel: 'Compare' });
  readonly #review: Review;
  readonly #title = make('strong');
  readonly #figures = make('div', { className: 'figures' });
  readonly #kin: Record<Kinship, HTMLButtonElement>;
  #rows: SheetRow[] = [];
  #of: SheetRow | null = null;
  #current = 0;
  /** Zoom, and the point in the middle as a fraction of the image. */
  #view = { zoom: 1, x: 0, y: 0 };

  constructor(review: Review) {
    this.#review = review;
    this.#kin = {
      row: button('Same row', 'Variants and combinations of its catalog row', () => this.#show('row')),
      prompt: button('Same prompt', 'All images of its prompt', () => this.#show('prompt')),
    };
    const bar = make(
      'div',
      { className: 'bar' },
      this.#title,
      make('span', { className: 'space' }),
      make('span', { className: 'choice', role: 'group', ariaLabel: 'Compare with' }, this.#kin.row, this.#kin.prompt),
      button('✕', 'Close (Esc)', () => this.element.close(), 'close'),
    );
    this.element.append(bar, this.#figures);
    this.#figures.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    this.#figures.addEventListener('pointermove', (event) => this.#drag(event));
    review.onChange(() => this.#mark());
  }

  get isOpen(): boolean {
    return this.element.open;
  }

  open(): void {
    const row = this.#review.currentRow;
    if (row === undefined || this.isOpen) return;
    this.#of = row;
    this.element.showModal();
    const { rows } = this.#review;
    const numbers = { row: relatives(rows, row, 'row').length, prompt: relatives(rows, row, 'prompt').length };
    this.#kin.row.textContent = `Same row (${numbers.row})`;
    this.#kin.prompt.textContent = `Same prompt (${numbers.prompt})`;
    this.#show(numbers.row > 1 || numbers.prompt === 1 ? 'row' : 'prompt');
  }

  /** @returns whether the key was handled */
  key(event: KeyboardEvent): boolean {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
    const step = steps[event.key];
    if (step !== undefined) this.#focus(this.#current + step);
    else if (event.key === 'a') this.#decide('approved');
    else if (event.key === 'r') this.#decide('rejected');
    else if (event.key === 'f') this.#set({ zoom: this.#view.zoom === 1 ? 2 : 1, x: 0, y: 0 });
    else if (event.key === '+' || event.key === '=') this.#zoom(KEY_ZOOM);
    else if (event.key === '-') this.#zoom(1 / KEY_ZOOM);
    else return false;
    return true;
  }

  #show(kinship: Kinship): void {
    this.#rows = relatives(this.#review.rows, this.#of!, kinship);
    this.#current = this.#rows.findIndex(({ id }) => id === this.#of!.id);
    const differing = differences(this.#rows, this.#review.rows.head);
    this.#figures.replaceChildren(...this.#rows.map((row, place) => this.#figure(row, place, differing[place]!)));
    this.#title.textContent = this.#of!.prompt;
    const narrowest = Math.min(...this.#rows.map(({ width, height }) => width / height));
    this.#figures.style.setProperty('--aspect', String(narrowest));
    for (const [name, control] of Object.entries(this.#kin)) control.ariaPressed = String(name === kinship);
    this.#set({ zoom: 1, x: 0, y: 0 });
    this.#mark();
    this.#focus(this.#current);
  }

  #figure(row: SheetRow, place: number, differing: string[]): HTMLElement {
    const picture = make('div', { className: 'frame' });
    if (row.file === '') picture.append(make('p', { className: 'message' }, `${row.status}: ${row.reason}`));
    else {
      const image = make('img', { alt: row.prompt, loading: 'lazy', draggable: false, src: addressOf(row.file) });
      image.width = row.width;
      image.height = row.height;
      picture.append(image);
    }
    const press = (decision: Decision) => () => {
      this.#current = place;
      this.#decide(this.#review.decisions.of(row) === decision ? null : decision);
    };
    const decisions = make(
      'span',
      { className: 'decisions' },
      button('✓', 'Approve (a)', press('approved'), 'decide approve'),
      button('✕', 'Reject (r)', press('rejected'), 'decide reject'),
    );
    const caption = make(
      'figcaption',
      {},
      make('span', { className: 'id' }, row.id),
      make('span', { className: 'prompt' }, differing.join(' · ')),
      ...(row.file === '' ? [] : [decisions]),
    );
    const figure = make('figure', { tabIndex: 0, onfocus: () => this.#select(place) }, picture, caption);
    figure.dataset.id = row.id;
    return figure;
  }

  #decide(decision: Decision | null): void {
    const row = this.#rows[this.#current];
    if (row !== undefined) this.#review.decide(row, decision);
  }

  #focus(place: number): void {
    const figure = this.#figures.children[Math.min(this.#rows.length - 1, Math.max(0, place))];
    if (figure instanceof HTMLElement) figure.focus();
  }

  #select(place: number): void {
    this.#current = place;
    this.#mark();
  }

  /** Shows decisions, and which image the keys act on. */
  #mark(): void {
    if (!this.isOpen) return;
    for (const [place, figure] of [...this.#figures.children].entries()) {
      if (!(figure instanceof HTMLElement)) continue;
      const decision = this.#review.decisions.of(this.#rows[place]!);
      figure.dataset.decision = decision ?? '';
      figure.classList.toggle('current', place === this.#current);
      const [approve, reject] = figure.querySelectorAll('.decide');
      if (approve !== undefined) approve.ariaPressed = String(decision === 'approved');
      if (reject !== undefined) reject.ariaPressed = String(decision === 'rejected');
    }
  }

  #set(view: { zoom: number; x: number; y: number }): void {
    const most = (view.zoom - 1) / 2;
    const within = (value: number): number => Math.min(most, Math.max(-most, value));
    this.#view = { zoom: view.zoom, x: within(view.x), y: within(view.y) };
    const { style } = this.#figures;
    style.setProperty('--zoom', String(this.#view.zoom));
    style.setProperty('--x', `${this.#view.x * 100}%`);
    style.setProperty('--y', `${this.#view.y * 100}%`);
  }

  #wheel(event: WheelEvent): void {
    const frame = event.target instanceof Element ? event.target.closest('.frame') : null;
    // If there are more images than fit, the wheel scrolls; with Ctrl, it zooms, as pinching does.
    const scrolls = this.#figures.scrollHeight > this.#figures.clientHeight;
    if (frame === null || (scrolls && !event.ctrlKey)) return;
    event.preventDefault();
    const { left, top, width, height } = frame.getBoundingClientRect();
    const x = (event.clientX - left) / width - 0.5;
    const y = (event.clientY - top) / height - 0.5;
    this.#zoom(WHEEL_STEP ** -event.deltaY, x, y);
  }

  /** Zooms around a point, given relative to the middle as a fraction of the frame. */
  #zoom(factor: number, x = 0, y = 0): void {
    const zoom = Math.min(MOST_ZOOM, Math.max(1, this.#view.zoom * factor));
    const ratio = zoom / this.#view.zoom;
    this.#set({ zoom, x: x + (this.#view.x - x) * ratio, y: y + (this.#view.y - y) * ratio });
  }

  #drag(event: PointerEvent): void {
    const frame = event.target instanceof Element ? event.target.closest('.frame') : null;
    if (frame === null || event.buttons !== 1) return;
    const { width, height } = frame.getBoundingClientRect();
    const { zoom, x, y } = this.#view;
    this.#set({ zoom, x: x + event.movementX / width, y: y + event.movementY / height });
  }
}
