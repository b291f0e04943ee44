import { type ObjectStore, type OpenStore, openStore, StoreUnavailable } from '../../store/index.ts';

/** `fails` as a store does that cannot be reached, `hangs` as one that takes the call and never answers. */
export type Fault = 'fails' | 'hangs';

/** Real stores, parts of which are away for a time. */
export class Outage {
  readonly #faults = new Map<string, Fault>();

  /** From now on nobody gets at objects whose names begin so. */
  begin(prefix: string, fault: Fault): void {
    this.#faults.set(prefix, fault);
  }

  end(prefix: string): void {
    this.#faults.delete(prefix);
  }

  readonly open: OpenStore = async (url) => {
    const store = await openStore(url);
    return new Proxy(store, { get: (target, name) => this.#member(target, name) });
  };

  #member(store: ObjectStore, name: string | symbol): unknown {
    const member: unknown = Reflect.get(store, name, store);
    if (typeof member !== 'function') return member;
    return (...args: unknown[]) => {
      const fault = this.#faultOf(args);
      if (fault === null) return Reflect.apply(member, store, args);
      return name === 'list' ? away(fault) : away(fault).next();
    };
  }

  #faultOf(args: unknown[]): Fault | null {
    const names = args.filter((arg) => typeof arg === 'string');
    const found = [...this.#faults].find(([prefix]) => names.some((name) => name.startsWith(prefix)));
    return found?.[1] ?? null;
  }
}

async function* away(fault: Fault): AsyncGenerator<never> {
  if (fault === 'fails') throw new StoreUnavailable('the store is away');
  await new Promise(() => {});
}
