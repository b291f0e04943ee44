import { SPRITE, slotPlace, thumbnailSize } from '../format.ts';
import type { SpriteSlot } from './rows.ts';

/** Number of sprites that are loaded concurrently. */
const LOADS = 4;
/** A decoded sprite takes up to 6 MB: enough are kept for a large window whose cells all use different ones. */
const KEPT = 60;

/** Loads sprites when cells in view need them. */
export class Sprites {
  readonly #loaded = new Map<string, HTMLImageElement>();
  readonly #lost = new Set<string>();
  #waiting: string[] = [];
  #loading = new Set<string>();
  readonly #onLoad: (sprite: string) => void;

  constructor(onLoad: (sprite: string) => void) {
    this.#onLoad = onLoad;
  }

  has(sprite: string): boolean {
    return this.#loaded.has(sprite);
  }

  /** Loads these sprites; earlier requests that are not among them are dropped. */
  want(sprites: Iterable<string>): void {
    this.#waiting = [];
    for (const sprite of new Set(sprites)) {
      const image = this.#loaded.get(sprite);
      if (image === undefined) {
        if (!this.#loading.has(sprite) && !this.#lost.has(sprite)) this.#waiting.push(sprite);
      } else {
        // The most recently used one is dropped last.
        this.#loaded.delete(sprite);
        this.#loaded.set(sprite, image);
      }
    }
    this.#loadNext();
  }

  #loadNext(): void {
    while (this.#loading.size < LOADS && this.#waiting.length > 0) void this.#load(this.#waiting.shift()!);
  }

  async #load(sprite: string): Promise<void> {
    this.#loading.add(sprite);
    const image = new Image();
    image.src = sprite;
    try {
      // Decoded before it is shown, so that scrolling does not wait for it.
      await image.decode();
      this.#loaded.set(sprite, image);
      for (const oldest of this.#loaded.keys()) if (this.#loaded.size > KEPT) this.#loaded.delete(oldest);
      this.#onLoad(sprite);
    } catch {
      this.#lost.add(sprite);
    }
    this.#loading.delete(sprite);
    this.#loadNext();
  }
}

/** Makes an element show a thumbnail within a square of `side` CSS pixels. */
export function showThumbnail(
  element: HTMLElement,
  { width, height }: { width: number; height: number },
  side: number,
  place: SpriteSlot | null,
): void {
  const size = thumbnailSize(width, height);
  // Small pictures are enlarged to the cell, as large ones are reduced to it.
  const scale = side / Math.max(size.width, size.height);
  element.style.width = `${size.width * scale}px`;
  element.style.height = `${size.height * scale}px`;
  element.style.backgroundImage = place === null ? '' : `url("${place.sprite}")`;
  if (place === null) return;
  const { left, top } = slotPlace(place.slot);
  element.style.backgroundSize = `${SPRITE.columns * SPRITE.cell * scale}px auto`;
  element.style.backgroundPosition = `${-left * scale}px ${-top * scale}px`;
}
