import { CAPTIONS_FOLDER } from '../records/layout.ts';
import type { ListedObject, ObjectStore } from '../store/index.ts';

/** Captions older than this are removed; a text that is still in use is encoded again once in that time. */
export const CAPTION_DAYS = 30;

/** Total size of captions in one store; above it the oldest are removed: 75,000 texts of 30 tokens of the largest models. */
const CAPTIONS_BYTES = 10 * 2 ** 30;

const SWEEP_EVERY_MS = 6 * 3_600_000;

/** Removes old or surplus captions in the background of a process that adds some: seldom, and never at a batch's expense. */
export class CaptionSweep {
  readonly #log: { warn(about: object, message: string): void };
  readonly #sweptAt = new Map<string, number>();

  constructor(log: { warn(about: object, message: string): void }) {
    this.#log = log;
  }

  /** A process sweeps a store when it first adds to it, and every few hours as it goes on. */
  afterWrite(store: ObjectStore): void {
    const now = performance.now();
    if (now < (this.#sweptAt.get(store.url) ?? Number.NEGATIVE_INFINITY) + SWEEP_EVERY_MS) return;
    this.#sweptAt.set(store.url, now);
    sweepCaptions(store, Date.now()).catch((error: unknown) => {
      this.#log.warn({ store: store.url, err: error }, 'old captions cannot be removed');
    });
  }
}

/**
 * Removes captions of all encoders that are too old, and then the oldest while they are too many bytes. A batch that
 * needs one of them has it encoded again.
 *
 * @param now in milliseconds since 1970
 * @throws what the store refuses with
 */
export async function sweepCaptions(store: ObjectStore, now: number): Promise<void> {
  const captions: ListedObject[] = [];
  for await (const object of store.list(CAPTIONS_FOLDER)) if (isCaption(object.name)) captions.push(object);
  for (const name of expired(captions, now)) await store.remove(name);
}

type CaptionLine = Pick<ListedObject, 'name' | 'bytes' | 'writtenAt'>;

/** What others put there stays. */
const isCaption = (name: string): boolean => /^captions\/[0-9a-f]{64}\/([0-9a-f]{2})\/\1[0-9a-f]{62}$/.test(name);

/** The names of those that go, the oldest first. */
export function expired(captions: readonly CaptionLine[], now: number, mostBytes = CAPTIONS_BYTES): string[] {
  const eldest = [...captions].sort((a, b) => a.writtenAt - b.writtenAt);
  let bytes = eldest.reduce((sum, object) => sum + object.bytes, 0);
  const oldest = now - CAPTION_DAYS * 24 * 3_600_000;
  const stays = eldest.findIndex((object) => {
    if (object.writtenAt >= oldest && bytes <= mostBytes) return true;
    bytes -= object.bytes;
    return false;
  });
  return eldest.slice(0, stays < 0 ? eldest.length : stays).map(({ name }) => name);
}
