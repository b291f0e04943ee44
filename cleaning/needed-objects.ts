import { ObjectNotFound, type ObjectStore } from '../store/index.ts';
import { inParallel } from './in-parallel.ts';
import { batchPartOf } from './own-names.ts';
import { readRecordLines } from './record-lines.ts';

const PARTS = new Set(['plan', 'receipts', 'table']);

/**
 * The shared objects that batches need: all that their plans, receipts and tables name, whatever became of the jobs. A batch writes its
 * plan before it looks for a picture, so that what is in no plan after an object was listed is of no use to anybody who found it before.
 *
 * Takes 120 to 160 bytes of memory for each object that is needed (docs/measurements/clean.md).
 */
export class NeededObjects {
  readonly #store: ObjectStore;
  readonly #without: ReadonlySet<string>;
  readonly #needed = new Set<string>();
  /** Versions of the records that were read. */
  readonly #read = new Map<string, string>();

  /** @param without batches whose needs do not count, because they are to go */
  constructor(store: ObjectStore, without: ReadonlySet<string> = new Set()) {
    this.#store = store;
    this.#without = without;
  }

  /** Reads what batches have written since the last time. @throws DamagedRecord */
  async refresh(): Promise<void> {
    await inParallel(this.#unread(), async ({ name, version }) => {
      const lines = await readRecordLines(this.#store, name).catch((error: unknown) => {
        // Its batch is just being removed.
        if (error instanceof ObjectNotFound) return [];
        throw error;
      });
      for (const { object } of lines) if (object !== null) this.#needed.add(object);
      this.#read.set(name, version);
    });
  }

  has(object: string): boolean {
    return this.#needed.has(object);
  }

  async *#unread() {
    for await (const { name, version } of this.#store.list('batches/')) {
      const own = batchPartOf(name);
      if (own === null || !PARTS.has(own.part) || this.#without.has(own.batch)) continue;
      if (this.#read.get(name) !== version) yield { name, version };
    }
  }
}
