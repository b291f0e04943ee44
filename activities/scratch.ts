import type { Logger } from '@temporalio/common';
import { ObjectKept, type ObjectStore, type OpenStore } from '../store/index.ts';

/**
 * A store's scratch space, as one worker knows it. Its objects have to be replaced and removed again: if a store once
 * refused that, for a retention policy or a hold, would keep every checkpoint, so nothing more is written there.
 */
export class Scratch {
  readonly #url: string;
  readonly #openStore: OpenStore;
  #isKept = false;

  constructor(url: string, openStore: OpenStore) {
    this.#url = url;
    this.#openStore = openStore;
  }

  open(): Promise<ObjectStore> {
    return this.#openStore(this.#url);
  }

  /** Whether objects written here can be removed again, as far as is known. */
  get isUsable(): boolean {
    return !this.#isKept;
  }

  /** Notes why a write or removal failed. @returns whether the store keeps what is there, which the log is told once */
  isKeeping(error: unknown, log: Pick<Logger, 'warn'>): boolean {
    if (!(error instanceof ObjectKept)) return false;
    if (!this.#isKept) {
      log.warn(
        'no more checkpoints: the store does not allow them to be replaced and removed, so an interrupted image starts over; --scratch names ' +
          'another place for them',
        { store: this.#url, why: error.why },
      );
    }
    this.#isKept = true;
    return true;
  }
}

/** Returns the scratch space of the store at a URL, always the same instance. */
export function scratchOfStores(openStore: OpenStore): (url: string) => Scratch {
  const known = new Map<string, Scratch>();
  return (url) => {
    const scratch = known.get(url) ?? new Scratch(url, openStore);
    known.set(url, scratch);
    return scratch;
  };
}
