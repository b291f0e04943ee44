import { type BatchClient, type BatchProgress, doneOf, type WorkersSeen, workersSeen } from '../../client/index.ts';
import { shortDigest } from '../../domain/bundle-ref.ts';
import type { Size } from '../../domain/size.ts';
import { workerHint } from '../server-choice.ts';
import { sizesOf } from './progress-text.ts';

/** `serverHint`: what a command that starts one needs to come to the same server. */
type Seen = WorkersSeen & { serverHint?: string };

/** Asks which workers there are. */
export type SeeWorkers = (sizes: readonly Size[]) => Promise<Seen>;

export const workersOf =
  (client: BatchClient, batch: string): SeeWorkers =>
  async (sizes) => ({ ...(await workersSeen(client, batch, sizes)), serverHint: workerHint(client) });

/** Workers come and go by the minute, and looking for them takes several calls to the server. */
const LOOK_EVERY_MS = 10_000;

/** Looks for a batch's workers now and then, in the background. */
export class WorkerWatch {
  readonly #see: SeeWorkers;
  #latest: Seen | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #lookedFor = '';

  constructor(see: SeeWorkers) {
    this.#see = see;
  }

  /** What was found last; `null` where nothing is known, or the batch needs nobody. */
  seen(progress: BatchProgress): Seen | null {
    if (!needsWorkers(progress)) {
      this.#latest = null;
      return null;
    }
    const sizes = sizesOf(progress).map(([size]) => size);
    const now = performance.now();
    if (now - this.#lookedAt >= LOOK_EVERY_MS || this.#lookedFor !== sizes.join()) {
      this.#lookedAt = now;
      this.#lookedFor = sizes.join();
      void this.#look(sizes);
    }
    return this.#latest;
  }

  async #look(sizes: Size[]): Promise<void> {
    const seen = await seenOrNull(this.#see, sizes);
    // An answer that took longer than the question holds is none.
    if (this.#lookedFor === sizes.join()) this.#latest = seen;
  }
}

/** Workers are told beside what is about the batch: where nobody can say which there are, it is left out. */
const seenOrNull = (see: SeeWorkers, sizes: Size[]): Promise<Seen | null> => see(sizes).catch(() => null);

/** A batch that is paused, or has rendered everything, needs nobody. */
export const needsWorkers = ({ state }: BatchProgress): boolean => state === 'planning' || state === 'rendering';

/** Sizes that a batch needs workers for. */
export const openSizes = (progress: BatchProgress): Size[] =>
  needsWorkers(progress)
    ? sizesOf(progress).flatMap(([size, counts]) => (doneOf(counts) < counts.jobs ? [size] : []))
    : [];

/** For each of these sizes that no worker asks for, and for texts: that, and what to start, on a line each. */
export function lackOfWorkers(open: Size[], workers: Seen | null): string[] {
  if (workers === null) return [];
  const { bundle, renderers, encoders, larger = [], serverHint = '' } = workers;
  const lacksEncoder = open.length > 0 && encoders === 0 && renderers.some(({ workers: number }) => number > 0);
  const lackOfEncoder = [
    `no worker asks for texts of ${bundle.name} to encode, and render workers without its text encoder wait; start one:`,
    `  npx pixart-batch worker --encoder --bundle ${bundle.name}${serverHint}`,
  ];
  const lackOfRenderers = renderers
    .filter(({ size, workers: number }) => number === 0 && open.includes(size))
    .flatMap(({ size }) => [
      `no worker asks for ${size} px of ${bundle.name} ${shortDigest(bundle.digest)}; start one:`,
      `  npx pixart-batch worker --renderer --size ${size} --bundle ${bundle.name}${serverHint}`,
    ]);
  const lackOfLarger = larger
    .filter(({ size, workers: number }) => number === 0 && open.includes(size))
    .flatMap(({ size }) => [
      `images of ${size} px found too little memory, and no worker takes them; start one on a machine with more:`,
      `  npx pixart-batch worker --renderer --large --size ${size} --bundle ${bundle.name}${serverHint}`,
    ]);
  return [...(lacksEncoder ? lackOfEncoder : []), ...lackOfRenderers, ...lackOfLarger];
}

/** The same for a command that tells it once. */
export const askForWorkers = async (open: Size[], see: SeeWorkers): Promise<string[]> =>
  open.length === 0 ? [] : lackOfWorkers(open, await seenOrNull(see, open));
