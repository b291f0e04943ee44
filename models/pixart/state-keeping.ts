import type { SamplerState } from './samplers/sampler.ts';

/** Where states of a run go, so that another run can go on from the last one. */
export type StateKeeping = {
  /** The shortest time between two states. A shorter run has none, unless it is aborted. */
  everyMs: number;
  /** The arrays are the sampler's own: copy or send them before the promise resolves. The next step waits for it. */
  keep(state: SamplerState): Promise<void>;
};

/** Tells at the end of a step whether a state is due. The last step's saves a long image's decoder from losing it all. */
export class StateClock {
  readonly #everyMs: number;
  readonly #begun = performance.now();
  #last = this.#begun;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  due(isLastStep: boolean): boolean {
    const now = performance.now();
    if (now - (isLastStep ? this.#begun : this.#last) < this.#everyMs) return false;
    this.#last = now;
    return true;
  }
}
