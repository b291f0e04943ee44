import type { Size } from '../catalog/size.ts';
import type { WorkersSeen } from '../client/workers-seen.ts';
import type { BatchProgress } from '../workflows/contract.ts';
import { settled, sizesOf } from './progress-text.ts';

/** Asks which workers there are. */
export type SeeWorkers = (sizes: readonly Size[]) => Promise<WorkersSeen>;

/** Workers come and go by the minute, and looking for them takes several calls to the server. */
const LOOK_EVERY_MS = 10_000;

/** Looks for a batch's workers now and then, in the background. */
export class WorkerWatch {
  readonly #see: SeeWorkers;
  #latest: WorkersSeen | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #lookedFor = '';

  constructor(see: SeeWorkers) {
    this.#see = see;
  }

  /** What was found last; `null` where nothing is known, or the batch needs nobody. */
  seen(progress: BatchProgress): WorkersSeen | null {
    if (progress.state !== 'planning' && progress.state !== 'rendering') return null;
    const sizes = sizesOf(progress).map(([size]) => size);
    const now = performance.now();
    if (now - this.#lookedAt >= LOOK_EVERY_MS || this.#lookedFor !== sizes.join()) {
      this.#lookedAt = now;
      this.#lookedFor = sizes.join();
      this.#look(sizes);
    }
    return this.#latest;
  }

  /** A display is about the batch: where this cannot be told, it is left out. */
  #look(sizes: Size[]): void {
    this.#see(sizes).then(
      (seen) => {
        this.#latest = seen;
      },
      () => {
        this.#latest = null;
      },
    );
  }
}

/** Sizes of which some jobs have not ended. */
export const openSizes = (progress: BatchProgress): Size[] =>
  sizesOf(progress).flatMap(([size, counts]) => (settled(counts) < counts.jobs ? [size] : []));

/** What a batch waits for because nobody renders its open sizes, a line for each, with what to start. */
export function waitsForWorkers(open: Size[], workers: WorkersSeen | null): string[] {
  const { renderers = [], bundle } = workers ?? {};
  return renderers
    .filter(({ size, workers: number }) => number === 0 && open.includes(size))
    .map(
      ({ size }) =>
        `nobody renders ${size} px with ${bundle}: start "npx pixart-batch worker --renderer --size ${size} --bundle ${bundle}"`,
    );
}
