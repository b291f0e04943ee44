import { StoreUnavailable } from '../store/index.ts';

/** Attempts that may ask a store which is away; the first of them to get an answer lets the others in. */
const PROBES = 2;

/**
 * Which stores are away. An attempt may wait minutes for such a store before it gives up; the attempts of one store
 * must not take all of the process's turns, which other batches need.
 */
export class StoreTurns {
  readonly #stores = new Map<string, { inHand: number; fault: StoreUnavailable | null }>();

  /**
   * Takes a turn at a store. @returns the function that releases it
   *
   * @throws StoreUnavailable, as somebody else has found it, where the store is away and others look whether it has come back
   */
  enter(url: string): () => void {
    const store = this.#stores.get(url) ?? { inHand: 0, fault: null };
    if (store.fault !== null && store.inHand >= PROBES) throw new StoreUnavailable(store.fault.message);
    this.#stores.set(url, store);
    store.inHand += 1;
    return () => {
      store.inHand -= 1;
      if (store.inHand === 0 && store.fault === null) this.#stores.delete(url);
    };
  }

  answered(url: string): void {
    const store = this.#stores.get(url);
    if (store !== undefined) store.fault = null;
  }

  failed(url: string, fault: StoreUnavailable): void {
    const store = this.#stores.get(url);
    if (store !== undefined) store.fault = fault;
  }
}
