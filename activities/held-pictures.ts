import type { Size } from '../domain/size.ts';
import { HELD_AT_LEAST_BYTES, HELD_BYTES } from '../workflows/contract/limits.ts';
import { StoreLine } from './store-line.ts';

export type HeldPicturesOptions = {
  /** A worker that holds so many bytes takes no more images. */
  limitBytes?: number | undefined;
  /** Before a store that has refused is asked for the first time again; later pauses are longer. */
  firstPauseMs?: number | undefined;
};

type Picture = { size: Size; bytes: number };

/** Finished pictures of one process that their stores refuse for the time being. Nothing but this process's memory has them. */
export class HeldPictures {
  readonly #limitBytes: number;
  readonly #firstPauseMs: number | undefined;
  readonly #lines = new Map<string, StoreLine>();
  readonly #held = new Set<Picture>();
  readonly #listeners: (() => void)[] = [];

  constructor({ limitBytes = HELD_BYTES, firstPauseMs }: HeldPicturesOptions = {}) {
    this.#limitBytes = limitBytes;
    this.#firstPauseMs = firstPauseMs;
  }

  /** Whether the process is to take no more images. */
  get isFull(): boolean {
    const counted = [...this.#held].map(({ bytes }) => Math.max(bytes, HELD_AT_LEAST_BYTES));
    return counted.reduce((sum, bytes) => sum + bytes, 0) >= this.#limitBytes;
  }

  count(size: Size): number {
    return [...this.#held].filter((picture) => picture.size === size).length;
  }

  /** Calls the listener whenever a picture comes or goes. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Counts a picture for as long as the work takes. */
  async whileHeld<T>(picture: Picture, work: () => Promise<T>): Promise<T> {
    this.#held.add(picture);
    this.#tell();
    try {
      return await work();
    } finally {
      this.#held.delete(picture);
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
