import type { Size } from '../domain/size.ts';
import { HELD_AT_LEAST_BYTES, HELD_BYTES } from '../workflows/contract/limits.ts';
import { StoreLine } from './store-line.ts';

type HeldPicturesOptions = {
  /** A worker that holds this many bytes accepts no more images. */
  limitBytes?: number | undefined;
  /** Pause before the first retry of a store that refused; later pauses are longer. */
  firstPauseMs?: number | undefined;
};

/** One of a store, by its key there. */
type Wanted = { key: string; size: Size };
type Picture = Wanted & { bytes: number };

/** Finished pictures of one process that their stores refuse for now. They exist only in this process's memory. */
export class HeldPictures {
  readonly #limitBytes: number;
  readonly #firstPauseMs: number | undefined;
  readonly #lines = new Map<string, StoreLine>();
  readonly #held = new Set<Picture>();
  readonly #wanted = new Set<Wanted>();
  readonly #listeners: (() => void)[] = [];

  constructor({ limitBytes = HELD_BYTES, firstPauseMs }: HeldPicturesOptions = {}) {
    this.#limitBytes = limitBytes;
    this.#firstPauseMs = firstPauseMs;
  }

  /** Whether the process is to take no more images. */
  get isFull(): boolean {
    const counted = this.#waiting.map(({ bytes }) => Math.max(bytes, HELD_AT_LEAST_BYTES));
    return counted.reduce((sum, bytes) => sum + bytes, 0) >= this.#limitBytes;
  }

  /** Images that wait for a store. */
  count(size: Size): number {
    return this.#waiting.filter((picture) => picture.size === size).length;
  }

  /** Calls the listener whenever a picture comes or goes. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Counts a picture for as long as the work takes. */
  whileHeld<T>(picture: Picture, work: () => Promise<T>): Promise<T> {
    return this.#whileIn(this.#held, picture, work);
  }

  /** Counts a row whose picture another row may hold: with it, it waits for the store. */
  whileWanted<T>(picture: Wanted, work: () => Promise<T>): Promise<T> {
    return this.#whileIn(this.#wanted, picture, work);
  }

  get #waiting(): Picture[] {
    const keys = new Set([...this.#held].map(({ key }) => key));
    const beside = [...this.#wanted].filter(({ key }) => keys.has(key));
    return [...this.#held, ...beside.map((wanted) => ({ ...wanted, bytes: 0 }))];
  }

  async #whileIn<P, T>(set: Set<P>, picture: P, work: () => Promise<T>): Promise<T> {
    set.add(picture);
    this.#tell();
    try {
      return await work();
    } finally {
      set.delete(picture);
      this.#tell();
    }
  }

  /** Those who wait for the store. */
  line(store: string): StoreLine {
    const line = this.#lines.get(store) ?? new StoreLine(this.#firstPauseMs);
    this.#lines.set(store, line);
    return line;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
