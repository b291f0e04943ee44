import { ObjectKept } from '../store/index.ts';

/** What a batch can do without, where its store keeps what is there: it goes on, and a person is told once. */
export class Conveniences {
  readonly #said: string[] = [];
  readonly #kept: string[] = [];
  #why = '';

  /** Writes one of them; where the store keeps what is there, that is noted. */
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
