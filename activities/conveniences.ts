import { ObjectKept } from '../store/index.ts';

/** Files that a batch can do without if its store does not allow replacing them: the batch continues, with one warning. */
export class Conveniences {
  readonly #said: string[] = [];
  readonly #kept: string[] = [];
  #why = '';

  /** Writes one of them; notes if the store does not allow replacing it. */
  async write(name: string, write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!(error instanceof ObjectKept)) throw error;
      this.#kept.push(name);
      this.#why = error.why;
    }
  }

  /** Notes what else goes without one of them. */
  readonly warn = (message: string): void => void this.#said.push(message);

  /** For the batch's details; none where all was read and written. */
  get warnings(): string[] {
    const kept = this.#kept.length === 0 ? [] : [`not replaced, since ${this.#why}: ${this.#kept.join(', ')}`];
    return [...this.#said, ...kept];
  }
}
