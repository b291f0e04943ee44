import { setTimeout as sleep } from 'node:timers/promises';
import { type ObjectStore, type OpenStore, StoreUnavailable } from '../store/index.ts';
import { STORE_SILENCE_SECONDS } from '../workflows/contract/limits.ts';
import { storeSilence } from './store-silence.ts';
import type { StoreTurns } from './store-turns.ts';

/** How often a cancelled attempt looks whether its store still answers. */
const LOOK_MS = 250;

/** What a cancelled attempt does: it stops at once, or continues while its store answers. */
export type WhenCancelled = 'stop' | 'finish';

/**
 * The stores of one attempt of an activity. It knows how long it has waited for an answer, so that a cancelled attempt
 * is neither cut off while it makes progress, nor waits for a store that is away. After its end it no longer calls the
 * stores: a late write could undo what another attempt or round has written.
 */
export class StoreWatch {
  readonly #openStore: OpenStore;
  readonly #turns: StoreTurns;
  readonly #asked = new Map<symbol, { url: string; since: number }>();
  readonly #left: (() => void)[] = [];
  #ended: Error | null = null;

  constructor(openStore: OpenStore, turns: StoreTurns) {
    this.#openStore = openStore;
    this.#turns = turns;
  }

  /** As openStore. @throws StoreUnavailable also where enough others wait for the store */
  readonly open: OpenStore = async (url) => {
    this.#left.push(this.#turns.enter(url));
    const store = await this.#asking(url, () => this.#openStore(url));
    return new Proxy(store, { get: (target, name) => this.#member(target, name) });
  };

  /**
   * Runs the attempt.
   *
   * @throws the signal's reason, or StoreUnavailable, where it was cancelled and did not finish
   */
  async run<T>(work: () => Promise<T>, signal: AbortSignal, whenCancelled: WhenCancelled): Promise<T> {
    const over = new AbortController();
    try {
      return await Promise.race([work(), this.#cancelled(signal, whenCancelled, over.signal)]);
    } catch (error) {
      this.#ended = error as Error;
      throw error;
    } finally {
      over.abort();
      for (const leave of this.#left) leave();
    }
  }

  /** What it waits for, where no answer has come for long. */
  silence(): StoreUnavailable | null {
    const before = performance.now() - 1_000 * STORE_SILENCE_SECONDS;
    for (const { url, since } of this.#asked.values()) {
      if (since > before) continue;
      return storeSilence(url);
    }
    return null;
  }

  async #cancelled(signal: AbortSignal, whenCancelled: WhenCancelled, over: AbortSignal): Promise<never> {
    const reason = await new Promise<unknown>((resolve) => {
      if (signal.aborted) resolve(signal.reason);
      else signal.addEventListener('abort', () => resolve(signal.reason), { once: true, signal: over });
    });
    while (whenCancelled === 'finish' && !over.aborted) {
      const silence = this.silence();
      if (silence !== null) throw silence;
      await sleep(LOOK_MS, undefined, { ref: false });
    }
    throw reason;
  }

  /** Every method of a store is watched, those that it has for others' sake too. */
  #member(store: ObjectStore, name: string | symbol): unknown {
    const member: unknown = Reflect.get(store, name, store);
    if (typeof member !== 'function') return member;
    return (...args: unknown[]) => {
      const call = (): unknown => Reflect.apply(member, store, args);
      return name === 'list'
        ? this.#listed(store.url, call as () => AsyncIterable<unknown>)
        : this.#answer(store.url, call);
    };
  }

  async *#listed(url: string, list: () => AsyncIterable<unknown>): AsyncGenerator<unknown> {
    const items = list()[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#answer(url, () => items.next());
      if (next.done) return;
      yield next.value;
    }
  }

  async #answer<T>(url: string, ask: () => T | Promise<T>): Promise<T> {
    try {
      const answer = await this.#asking(url, ask);
      this.#turns.answered(url);
      return answer;
    } catch (error) {
      // That there is no such object is an answer too.
      if (!(error instanceof StoreUnavailable)) this.#turns.answered(url);
      throw error;
    }
  }

  /** A store that was opened before is there at once, whether it would answer or not. */
  async #asking<T>(url: string, ask: () => T | Promise<T>): Promise<T> {
    if (this.#ended !== null) throw this.#ended;
    const call = Symbol();
    this.#asked.set(call, { url, since: performance.now() });
    try {
      return await ask();
    } catch (error) {
      if (error instanceof StoreUnavailable) this.#turns.failed(url, error);
      throw error;
    } finally {
      this.#asked.delete(call);
    }
  }
}
