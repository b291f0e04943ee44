import { type FoundObject, type ObjectStore, type OpenStore, openStore, StoreUnavailable } from '../../store/index.ts';

/**
 * `fails` like an unreachable store, `hangs` like one that accepts calls and never answers, `full` like one without space.
 */
export type Fault = 'fails' | 'hangs' | 'full';

const WRITES: (string | symbol)[] = ['create', 'replace', 'copy', 'supersede'];

/** Real stores, parts of which are down for a time. */
export class Outage {
  readonly #faults = new Map<string, { fault: Fault; says: string }>();
  #waiting: (() => void)[] = [];

  /** From now on, objects with this prefix are inaccessible. */
  begin(prefix: string, fault: Fault, says = fault === 'full' ? 'the disk is full' : 'the store is away'): void {
    this.#faults.set(prefix, { fault, says });
  }

  /** Ends it for calls from now on; those that hang continue to hang. */
  end(prefix: string): void {
    this.#faults.delete(prefix);
  }

  /** The number of hanging calls. */
  get hanging(): number {
    return this.#waiting.length;
  }

  /** Lets hanging calls through. */
  answer(): void {
    for (const proceed of this.#waiting) proceed();
    this.#waiting = [];
  }

  readonly open: OpenStore = async (url) => this.#around(await openStore(url));

  #around<T extends ObjectStore | FoundObject>(target: T): T {
    return new Proxy(target, { get: (_, name) => this.#member(target, name) });
  }

  #member(target: ObjectStore | FoundObject, name: string | symbol): unknown {
    const member: unknown = Reflect.get(target, name, target);
    if (typeof member !== 'function') return member;
    return (...args: unknown[]) => {
      const names = [...args, 'name' in target && target.name].filter((arg) => typeof arg === 'string');
      const call = (): unknown => Reflect.apply(member, target, args);
      if (name === 'list') return this.#listed(names, call as () => AsyncIterable<unknown>);
      return this.#pass(names, WRITES.includes(name))
        .then(call)
        .then((answer) => this.#answered(answer));
    };
  }

  /** Applies the outage to objects that a store has found, too. */
  #answered(answer: unknown): unknown {
    if (typeof answer !== 'object' || answer === null) return answer;
    if ('stat' in answer) return { ...answer, stat: this.#answered(answer.stat) };
    return 'supersede' in answer ? this.#around(answer as FoundObject) : answer;
  }

  async *#listed(names: string[], list: () => AsyncIterable<unknown>): AsyncGenerator<unknown> {
    await this.#pass(names, false);
    yield* list();
  }

  async #pass(names: string[], isWrite: boolean): Promise<void> {
    const [, found] = [...this.#faults].find(([prefix]) => names.some((name) => name.startsWith(prefix))) ?? [];
    if (found === undefined) return;
    const { fault, says } = found;
    if (fault === 'fails' || (fault === 'full' && isWrite)) throw new StoreUnavailable(says);
    if (fault === 'hangs') await new Promise<void>((proceed) => this.#waiting.push(proceed));
  }
}
