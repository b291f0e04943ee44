import { type BatchClient, type BatchProgress, doneOf, type WorkersSeen, workersSeen } from '../../client/index.ts';
import { shortDigest } from '../../domain/bundle-ref.ts';
import { shellQuoted } from '../../domain/shell-quoted.ts';
import type { Size } from '../../domain/size.ts';
import { shownPlace } from '../../store/index.ts';
import { workerHint } from '../server-choice.ts';
import { sizesOf } from './progress-text.ts';

/** `serverHint`: options that a command needs to start a worker on the same server. */
type Seen = WorkersSeen & { serverHint?: string };

/** Finds out which workers there are. */
export type SeeWorkers = (sizes: readonly Size[]) => Promise<Seen>;

export const workersOf =
  (client: BatchClient, batch: string): SeeWorkers =>
  async (sizes) => ({ ...(await workersSeen(client, batch, sizes)), serverHint: workerHint(client) });

/** Workers come and go within minutes, and finding them takes several calls to the server. */
const LOOK_EVERY_MS = 10_000;

/** Looks for a batch's workers at intervals, in the background. */
export class WorkerWatch {
  readonly #see: SeeWorkers;
  #latest: Seen | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #lookedFor = '';

  constructor(see: SeeWorkers) {
    this.#see = see;
  }

  /** What was found last; `null` if nothing is known, or the batch needs no workers. */
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
    // Drop an answer to a question that is out of date.
    if (this.#lookedFor === sizes.join()) this.#latest = seen;
  }
}

/** Workers are extra information: if nobody can say which there are, they are left out. */
const seenOrNull = (see: SeeWorkers, sizes: Size[]): Promise<Seen | null> => see(sizes).catch(() => null);

/** A batch that is paused, or has rendered everything, needs no workers. */
export const needsWorkers = ({ state }: BatchProgress): boolean => state === 'planning' || state === 'rendering';

/** Sizes that a batch needs workers for. */
export const openSizes = (progress: BatchProgress): Size[] =>
  needsWorkers(progress)
    ? sizesOf(progress).flatMap(([size, counts]) => (doneOf(counts) < counts.jobs ? [size] : []))
    : [];

/** For texts and for each of these sizes that no worker polls for: a line that says so, and the command to start one. */
export function lackOfWorkers(open: Size[], workers: Seen | null): string[] {
  if (workers === null) return [];
  const { bundle, renderers, encoders, larger = [], store, serverHint = '' } = workers;
  const options = `--bundle ${bundle.name}${serverHint}${allowHint(store)}`;
  const lacksEncoder = open.length > 0 && encoders === 0 && renderers.some(({ workers: number }) => number > 0);
  const lackOfEncoder = [
    `no worker is polling for texts to encode for bundle ${bundle.name}, and render workers without its text encoder are waiting; start one:`,
    `  npx pixart-batch worker --encoder ${options}`,
  ];
  const lackOfRenderers = renderers
    .filter(({ size, workers: number }) => number === 0 && open.includes(size))
    .flatMap(({ size }) => [
      `no worker is polling for ${size} px jobs of bundle ${bundle.name} ${shortDigest(bundle.digest)}; start one:`,
      `  npx pixart-batch worker --renderer --size ${size} ${options}`,
    ]);
  const lackOfLarger = larger
    .filter(({ size, workers: number }) => number === 0 && open.includes(size))
    .flatMap(({ size }) => [
      `${size} px images ran out of memory, and no worker with --large is polling for them; start one on a machine with more memory:`,
      `  npx pixart-batch worker --renderer --large --size ${size} ${options}`,
    ]);
  return [...(lacksEncoder ? lackOfEncoder : []), ...lackOfRenderers, ...lackOfLarger];
}

/** Without this, a worker opens buckets but no folder, and would fail every image of the batch. */
const allowHint = (store: string): string =>
  store.startsWith('file:') ? ` --allow ${shellWord(shownPlace(store))}` : '';

const shellWord = (text: string): string => (/^[\p{Letter}\p{Number}_./-]+$/u.test(text) ? text : shellQuoted(text));

/** The same for a command that prints it once. */
export const askForWorkers = async (open: Size[], see: SeeWorkers): Promise<string[]> =>
  open.length === 0 ? [] : lackOfWorkers(open, await seenOrNull(see, open));
