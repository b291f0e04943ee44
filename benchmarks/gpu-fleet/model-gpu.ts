import type { GpuRecord } from './probes.ts';
import { type DeviceTimes, STEPS } from './rates.ts';
import type { Agenda } from './stations.ts';

/** An image on a GPU. Times are in milliseconds since the simulation began. */
export type ModelImage = { taken: number; begun: number; stepsLeft: number; done: () => void };

/**
 * A GPU in the model. Like the product's renderer it computes up to a call's images at once, lets them join and leave
 * between calls, and decodes one after the other.
 */
export class ModelGpu {
  readonly record: GpuRecord = { images: [], busy: [] };
  readonly #agenda: Agenda;
  readonly #times: DeviceTimes;
  readonly #together: number;
  readonly #waiting: ModelImage[] = [];
  readonly #computing: ModelImage[] = [];
  #isBusy = false;

  constructor(agenda: Agenda, times: DeviceTimes, together: number) {
    this.#agenda = agenda;
    this.#times = times;
    this.#together = together;
  }

  /** @param done called when the image is decoded */
  take(done: (image: ModelImage) => void): void {
    const image: ModelImage = { taken: this.#agenda.now, begun: 0, stepsLeft: STEPS, done: () => done(image) };
    this.#waiting.push(image);
    // After everything else that is due now, so that images that arrive together share their first call.
    this.#agenda.after(0, () => this.#call());
  }

  #call(): void {
    if (this.#isBusy) return;
    while (this.#waiting.length > 0 && this.#computing.length < this.#together) {
      const image = this.#waiting.shift()!;
      image.begun = this.#agenda.now;
      this.#computing.push(image);
    }
    if (this.#computing.length === 0) return;
    const { stepMs, furtherMs } = this.#times;
    this.#work(stepMs + furtherMs * (this.#computing.length - 1), () => {
      for (const image of this.#computing) image.stepsLeft -= 1;
      this.#decode();
    });
  }

  #decode(): void {
    const place = this.#computing.findIndex(({ stepsLeft }) => stepsLeft === 0);
    if (place < 0) {
      this.#call();
      return;
    }
    const image = this.#computing.splice(place, 1)[0]!;
    this.#work(this.#times.decodeMs, () => {
      image.done();
      this.#decode();
    });
  }

  #work(ms: number, then: () => void): void {
    const { now } = this.#agenda;
    this.#isBusy = true;
    this.record.busy.push({ start: now, end: now + ms });
    this.#agenda.after(ms, () => {
      this.#isBusy = false;
      then();
    });
  }
}
