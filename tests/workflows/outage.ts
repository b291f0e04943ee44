import { type ObjectStore, type OpenStore, openStore, StoreUnavailable } from '../../store/index.ts';

/** `fails` as a store does that cannot be reached, `hangs` as one that takes the call and never answers. */
export type Fault = 'fails' | 'hangs';

/** Real stores, parts of which are away for a time. */
export class Outage {
  readonly #faults = new Map<string, Fault>();
  #waiting: (() => void)[] = [];

  /** From now on nobody gets at objects whose names begin so. */
  begin(prefix: string, fault: Fault): void {
    this.#faults.set(prefix, fault);
  }

  /** For calls that come from now on; those that hang go on hanging. */
  end(prefix: string): void {
    this.#faults.delete(prefix);
  }

  /** Calls that hang. */
  get hanging(): number {
    return this.#waiting.length;
  }

  /** Lets the calls that hang through. */
  answer(): void {
    for (const proceed of this.#waiting) proceed();
    this.#waiting = [];
  }

  readonly open: OpenStore = async (url) => {
    const store = await openStore(url);
    return new Proxy(store, { get: (target, name) => this.#member(target, name) });
  };

  #member(store: ObjectStore, name: string | symbol): unknown {
    const member: unknown = Reflect.get(store, name, store);
    if (typeof member !== 'function') return member;
    return (...args: unknown[]) => {
      const names = args.filter((arg) => typeof arg === 'string');
      const call = (): unknown => Reflect.apply(member, store, args);
      return name === 'list' ? this.#listed(names, call as () => AsyncIterable<unknown>) : this.#pass(names).then(call);
    };
  }

  async *#listed(names: string[], list: () => AsyncIterable<unknown>): AsyncGenerator<unknown> {
    await this.#pass(names);
    yield* list();
  }

  async #pass(names: string[]): Promise<void> {
    const [, fault] = [...this.#faults].find(([prefix]) => names.some((name) => name.startsWith(prefix))) ?? [];
    if (fault === 'fails') throw new StoreUnavailable('the store is away');
    if (fault === 'hangs') await new Promise<void>((proceed) => this.#waiting.push(proceed));
  }
}
