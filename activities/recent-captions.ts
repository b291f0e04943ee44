import type { Caption } from '../models/pixart/index.ts';

/** Some hundred captions of the largest models. */
const MOST_BYTES = 64 * 2 ** 20;

/** The captions that this process used last, by their keys: variants of a row share their prompt, most jobs their negative prompt. */
export class RecentCaptions {
  readonly #captions = new Map<string, Caption>();
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  get(key: string): Caption | undefined {
    const caption = this.#captions.get(key);
    if (caption === undefined) return undefined;
    // A Map keeps the order of insertion, so that the first key is the one that was used longest ago.
    this.#captions.delete(key);
    this.#captions.set(key, caption);
    return caption;
  }

  add(key: string, caption: Caption): void {
    this.#drop(key);
    this.#captions.set(key, caption);
    this.#bytes += caption.states.byteLength;
    for (const [oldest] of this.#captions) {
      if (this.#bytes <= this.#mostBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#captions.get(key)?.states.byteLength ?? 0;
    this.#captions.delete(key);
  }
}
