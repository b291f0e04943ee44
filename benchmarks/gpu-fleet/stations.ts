import { Heap } from 'heap-js';

/** Serves requests first come, first served, with one or more servers: processor cores, or a database's one connection. */
export class Station {
  readonly #free: number[];

  constructor(servers: number) {
    this.#free = Array.from({ length: servers }, () => 0);
  }

  /** @param now never earlier than in the call before. @returns when the request is done */
  serve(now: number, ms: number): number {
    let first = 0;
    for (let i = 1; i < this.#free.length; i += 1) if (this.#free[i]! < this.#free[first]!) first = i;
    const end = Math.max(now, this.#free[first]!) + ms;
    this.#free[first] = end;
    return end;
  }
}

type Happening = { at: number; order: number; happen: () => void };

/** What happens when, in the order of time; what is due at the same time happens in the order in which it was arranged. */
export class Agenda {
  readonly #due = new Heap<Happening>((a, b) => a.at - b.at || a.order - b.order);
  #arranged = 0;
  #now = 0;

  get now(): number {
    return this.#now;
  }

  at(time: number, happen: () => void): void {
    this.#due.push({ at: time, order: this.#arranged++, happen });
  }

  /** Until nothing is left to happen. */
  run(): void {
    for (let next = this.#due.pop(); next !== undefined; next = this.#due.pop()) {
      this.#now = next.at;
      next.happen();
    }
  }
}
