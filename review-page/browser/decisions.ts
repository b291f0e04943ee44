import type { Decision } from './decisions-csv.ts';

/** The subject of a decision. The same id with another render key is another picture. */
export type Picture = { id: string; renderKey: string };

type Change = { picture: Picture; before: Decision | null };

/**
 * Decisions on the pictures of one batch, kept in the browser's storage, one entry each, so that two windows do not overwrite each
 * other, and decisions on pictures that have since been replaced do not count.
 */
export class Decisions {
  readonly #prefix: string;
  #storage: Storage | null;
  readonly #onLoss: () => void;
  readonly #decided = new Map<string, Decision>();
  readonly #changes: Change[][] = [];

  /** @param onLoss called when the storage rejects a write; decisions then last as long as the page */
  constructor(batch: string, storage: Storage | null, onLoss: () => void) {
    this.#prefix = `pixart-batch/${batch}/`;
    this.#storage = storage;
    this.#onLoss = onLoss;
    for (let at = 0; at < (storage?.length ?? 0); at++) this.take(storage!.key(at)!);
  }

  /** Whether decisions outlive the page. */
  get kept(): boolean {
    return this.#storage !== null;
  }

  /** Applies a change that another window has written. */
  take(entry: string): void {
    if (!entry.startsWith(this.#prefix)) return;
    const value = this.#storage?.getItem(entry);
    if (value === 'approved' || value === 'rejected') this.#decided.set(entry, value);
    else this.#decided.delete(entry);
  }

  of(picture: Picture): Decision | null {
    return this.#decided.get(this.#entry(picture)) ?? null;
  }

  /** Decides on all of them at once; one undo reverts them all. */
  decide(pictures: readonly (Picture & { decision: Decision | null })[]): void {
    const changes: Change[] = [];
    this.#changes.push(changes);
    for (const picture of pictures) {
      changes.push({ picture, before: this.of(picture) });
      this.#set(picture, picture.decision);
    }
  }

  /** Reverts the last decision. @returns the picture that it was about; `null` if there is none */
  undo(): Picture | null {
    const changes = this.#changes.pop() ?? [];
    for (const { picture, before } of changes) this.#set(picture, before);
    return changes[0]?.picture ?? null;
  }

  #entry({ id, renderKey }: Picture): string {
    return `${this.#prefix}${renderKey}/${id}`;
  }

  #set(picture: Picture, decision: Decision | null): void {
    const entry = this.#entry(picture);
    if (decision === null) this.#decided.delete(entry);
    else this.#decided.set(entry, decision);
    try {
      if (decision === null) this.#storage?.removeItem(entry);
      else this.#storage?.setItem(entry, decision);
    } catch {
      this.#storage = null;
      this.#onLoss();
    }
  }
}

/** The browser's storage, or `null` if it is disabled or denied to this page. */
export function openStorage(): Storage | null {
  try {
    const storage = globalThis.localStorage;
    storage.setItem('pixart-batch', '');
    storage.removeItem('pixart-batch');
    return storage;
  } catch {
    return null;
  }
}
