import { STAGES, type Stage, type Timings } from '../domain/timings.ts';

/** Called when a stage has ended; times are those of `performance.now()`. */
type StageListener = (stage: Stage, startMs: number, endMs: number) => void;

/** Measures where one image's time goes. What receipts, metrics and traces say of it comes from here, so that they agree. */
export class StageTimer {
  readonly #listener: StageListener | undefined;
  readonly #spent = Object.fromEntries(Object.values(STAGES).map((key) => [key, 0])) as Record<
    (typeof STAGES)[Stage],
    number
  >;
  #deviceMs: number | undefined;

  constructor(listener?: StageListener) {
    this.#listener = listener;
  }

  /** Milliseconds by stage, so far; a stage that came more than once is summed up. */
  get timings(): Timings {
    return { ...this.#spent, ...(this.#deviceMs !== undefined && { deviceMs: this.#deviceMs }) };
  }

  /** Notes what the image had of the device's time. */
  charge(deviceMs: number): void {
    this.#deviceMs = deviceMs;
  }

  /** Does the work and measures it; work that fails is no stage. */
  async measure<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    const result = await work();
    this.#note(stage, startMs, performance.now() - startMs);
    return result;
  }

  /** Takes in stages that were measured where they were done, one after the other from `startMs` on. */
  add(startMs: number, measured: Partial<Timings>): void {
    let from = startMs;
    for (const stage of Object.keys(STAGES) as Stage[]) {
      const ms = measured[STAGES[stage]];
      if (ms === undefined) continue;
      this.#note(stage, from, ms);
      from += ms;
    }
  }

  #note(stage: Stage, startMs: number, ms: number): void {
    this.#spent[STAGES[stage]] += ms;
    this.#listener?.(stage, startMs, startMs + ms);
  }
}
