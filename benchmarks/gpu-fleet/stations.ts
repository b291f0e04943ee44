import { Heap } from 'heap-js';

type Happening = { at: number; order: number; happen: () => void };

/** The simulation's clock. What is due at the same time happens in the order in which it was arranged. */
export class Agenda {
  readonly #due = new Heap<Happening>((a, b) => a.at - b.at || a.order - b.order);
  #arranged = 0;
  #now = 0;

  get now(): number {
    return this.#now;
  }

  after(ms: number, happen: () => void): void {
    this.#due.push({ at: this.#now + ms, order: this.#arranged++, happen });
  }

  /** Until nothing is left to happen. */
  run(): void {
    for (let next = this.#due.pop(); next !== undefined; next = this.#due.pop()) {
      this.#now = next.at;
      next.happen();
    }
  }
}

/** Occupies a server until it calls `done`. */
type Work = (done: () => void) => void;

/** How long a process keeps a core while another process waits for one. */
const SLICE_MS = 4;

/**
 * One or more identical servers: processor cores, or a database's one connection. First come, first served for each
 * owner; owners take turns, as processes do on a machine's cores. With one queue for all, a worker would wait behind
 * every request to the server, and send heartbeats meanwhile.
 */
export class Station {
  readonly #agenda: Agenda;
  #free: number;
  readonly #waiting = new Map<string, Work[]>();

  constructor(agenda: Agenda, servers: number) {
    this.#agenda = agenda;
    this.#free = servers;
  }

  take(owner: string, work: Work): void {
    this.#queueOf(owner).push(work);
    this.#next();
  }

  /** Takes some of a server's time. */
  serve(owner: string, ms: number, then: () => void): void {
    this.take(owner, this.#sliced(owner, ms, then));
  }

  #sliced(owner: string, ms: number, then: () => void): Work {
    return (done) =>
      this.#agenda.after(Math.min(ms, SLICE_MS), () => {
        if (ms <= SLICE_MS) then();
        else this.#queueOf(owner).unshift(this.#sliced(owner, ms - SLICE_MS, then));
        done();
      });
  }

  #queueOf(owner: string): Work[] {
    const queue = this.#waiting.get(owner) ?? [];
    this.#waiting.set(owner, queue);
    return queue;
  }

  #next(): void {
    while (this.#free > 0) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      const [owner, queue] = first;
      const work = queue.shift()!;
      this.#waiting.delete(owner);
      if (queue.length > 0) this.#waiting.set(owner, queue);
      this.#free -= 1;
      work(() => {
        this.#free += 1;
        this.#next();
      });
    }
  }
}
