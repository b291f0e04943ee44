import { type Agenda, Station } from './stations.ts';

type LaneOptions = { /** Of the batch, shared by its lanes. */ shards: number[]; window: number; pauseMs: number };

/** Takes one shard after another, and has up to a window of its images scheduled. */
export class Lane {
  /** The database's changes of its shard's workflow. */
  readonly changes = new Station(1);
  readonly #agenda: Agenda;
  readonly #options: LaneOptions;
  readonly #schedule: (lane: Lane) => void;
  #waiting = 0;
  #scheduled = 0;

  constructor(agenda: Agenda, options: LaneOptions, schedule: (lane: Lane) => void) {
    this.#agenda = agenda;
    this.#options = options;
    this.#schedule = schedule;
  }

  next(): void {
    this.#waiting = this.#options.shards.shift() ?? 0;
    this.#fill();
  }

  ended(): void {
    this.#scheduled -= 1;
    this.#fill();
    if (this.#scheduled === 0) this.#agenda.at(this.#agenda.now + this.#options.pauseMs, () => this.next());
  }

  #fill(): void {
    for (; this.#waiting > 0 && this.#scheduled < this.#options.window; this.#waiting -= 1) {
      this.#scheduled += 1;
      this.#schedule(this);
    }
  }
}
