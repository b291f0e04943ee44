import type { SheetRow } from '../format.ts';
import { addressOf, make } from './dom.ts';
import { type Extent, fitView, fullScale, kept, type View, zoomAt } from './view.ts';

const WHEEL_STEP = 1.0015;
const MOST = 8;

/** One image at full size, with zoom and pan: fit to window, 100 % or any scale. */
export class Stage {
  readonly element = make('div', { className: 'stage', tabIndex: -1 });
  #image: HTMLImageElement | null = null;
  #row: SheetRow | null = null;
  #view: View = { scale: 1, x: 0, y: 0 };
  #fits = true;
  readonly #onView: () => void;

  constructor(onView: () => void) {
    this.#onView = onView;
    this.element.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    this.element.addEventListener('pointerdown', (event) => this.#drag(event));
    this.element.addEventListener('dblclick', (event) => this.toggle(this.#pointOf(event)));
    new ResizeObserver(() => this.#set(this.#view)).observe(this.element);
  }

  /** Scale in percent of the image's own pixels. */
  get percent(): number {
    return Math.round((this.#view.scale / fullScale(devicePixelRatio)) * 100);
  }

  get fits(): boolean {
    return this.#fits;
  }

  show(row: SheetRow): void {
    this.#row = row;
    const image = make('img', { alt: row.prompt, draggable: false, src: addressOf(row.file) });
    image.width = row.width;
    image.height = row.height;
    image.style.backgroundColor = row.colour ?? '';
    image.onerror = () => this.say(`${row.file} is no longer next to this page.`);
    this.#image = image;
    this.element.replaceChildren(image);
    this.fit();
  }

  /** Shows a text in place of an image. */
  say(text: string): void {
    this.#image = this.#row = null;
    this.element.replaceChildren(make('p', { className: 'message' }, text));
  }

  fit(): void {
    this.#fits = true;
    this.#set(this.#view);
  }

  /** Toggles between fit and 100 %. */
  toggle(point = { x: 0, y: 0 }): void {
    if (this.#fits) this.zoom(fullScale(devicePixelRatio) / this.#view.scale, point);
    else this.fit();
  }

  zoom(factor: number, point = { x: 0, y: 0 }): void {
    if (this.#row === null) return;
    const full = fullScale(devicePixelRatio);
    const least = Math.min(this.#fitted().scale, full);
    this.#fits = false;
    this.#set(zoomAt(this.#view, factor, point, [least, MOST * full]));
  }

  pan(x: number, y: number): void {
    this.#set({ ...this.#view, x: this.#view.x + x, y: this.#view.y + y });
  }

  #window = (): Extent => ({ width: this.element.clientWidth, height: this.element.clientHeight });

  #fitted = (): View => fitView(this.#row!, this.#window(), devicePixelRatio);

  #set(view: View): void {
    if (this.#row === null || this.#image === null) return;
    this.#view = this.#fits ? this.#fitted() : kept(view, this.#row, this.#window());
    const { scale, x, y } = this.#view;
    this.#image.style.transform = `translate(-50%, -50%) translate(${x}px, ${y}px) scale(${scale})`;
    this.#image.classList.toggle('enlarged', this.percent > 200);
    this.#onView();
  }

  #pointOf({ clientX, clientY }: MouseEvent): { x: number; y: number } {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    this.zoom(WHEEL_STEP ** -event.deltaY, this.#pointOf(event));
  }

  #drag(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    const move = ({ movementX, movementY }: PointerEvent) => this.pan(movementX, movementY);
    const end = () => this.element.removeEventListener('pointermove', move);
    this.element.addEventListener('pointermove', move);
    this.element.addEventListener('lostpointercapture', end, { once: true });
  }
}
