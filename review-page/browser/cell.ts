import type { SheetRow } from '../format.ts';
import type { Decision } from './decisions-csv.ts';
import { button, make } from './dom.ts';
import type { SpriteSlot } from './rows.ts';
import { showThumbnail } from './sprites.ts';

export type CellActions = {
  open: (place: number) => void;
  decide: (place: number, decision: Decision) => void;
  focus: (place: number) => void;
};

export type CellContent = {
  place: number;
  total: number;
  side: number;
  isCurrent: boolean;
  /** `undefined` if the row is not loaded yet. */
  row: SheetRow | undefined;
  decision: Decision | null;
  /** `null` if there is no thumbnail, or it is not loaded yet. */
  thumbnail: SpriteSlot | null;
};

/** One cell of the grid, reused for other rows while the grid scrolls. */
export class Cell {
  readonly element = make('div', { className: 'cell', role: 'listitem' });
  place = -1;
  readonly #open = make('button', { type: 'button', className: 'open' });
  readonly #picture = make('span', { className: 'picture' });
  readonly #note = make('span', { className: 'note' });
  readonly #id = make('span', { className: 'id' });
  readonly #prompt = make('span', { className: 'prompt' });
  readonly #approve: HTMLButtonElement;
  readonly #reject: HTMLButtonElement;

  constructor(actions: CellActions) {
    this.#approve = button('✓', 'Approve', () => actions.decide(this.place, 'approved'), 'decide approve');
    this.#reject = button('✕', 'Reject', () => actions.decide(this.place, 'rejected'), 'decide reject');
    const well = make('span', { className: 'well' }, this.#picture, this.#note);
    this.#open.append(well, this.#id, this.#prompt);
    this.#open.onclick = () => actions.open(this.place);
    this.#open.onfocus = () => actions.focus(this.place);
    this.element.append(this.#open, make('span', { className: 'decisions' }, this.#approve, this.#reject));
  }

  focus(): void {
    this.#open.focus({ preventScroll: true });
  }

  show({ place, total, side, isCurrent, row, decision, thumbnail }: CellContent): void {
    this.place = place;
    const { element } = this;
    element.ariaPosInSet = String(place + 1);
    element.ariaSetSize = String(total);
    element.classList.toggle('current', isCurrent);
    element.dataset.decision = decision ?? '';
    element.dataset.status = row?.status ?? 'loading';
    element.dataset.id = row?.id ?? '';
    for (const control of [this.#open, this.#approve, this.#reject]) control.tabIndex = isCurrent ? 0 : -1;
    const hasImage = row !== undefined && row.file !== '';
    this.#approve.hidden = this.#reject.hidden = !hasImage;
    this.#approve.ariaPressed = String(decision === 'approved');
    this.#reject.ariaPressed = String(decision === 'rejected');
    this.#id.textContent = row?.id ?? '';
    this.#prompt.textContent = row?.prompt ?? '';
    this.#prompt.title = row?.prompt ?? '';
    this.#note.textContent = row === undefined || hasImage ? '' : `${row.status}: ${row.reason}`;
    this.#open.ariaLabel = row === undefined ? 'loading' : labelOf(row, decision);
    this.#picture.hidden = !hasImage;
    if (!hasImage) return;
    this.#picture.style.backgroundColor = row.colour ?? '';
    showThumbnail(this.#picture, row, side, thumbnail);
  }
}

const labelOf = ({ id, prompt, status, reason }: SheetRow, decision: Decision | null): string =>
  [id, prompt, reason === '' ? (decision ?? 'undecided') : `${status}: ${reason}`].join(', ');
