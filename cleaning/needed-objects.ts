import { ObjectNotFound, type ObjectStore } from '../store/index.ts';
import { inParallel } from './in-parallel.ts';
import { batchPartOf } from './own-names.ts';
import { readRecordLines } from './record-lines.ts';

const PARTS = new Set(['plan', 'receipts', 'table']);

/**
 * The shared objects that batches need: all that their plans, receipts and tables name, whatever the jobs' outcomes. A
 * batch writes its plan before it looks for a picture. So if no plan names an object after it was listed, no batch that
 * found it earlier needs it.
 *
 * Takes 120 to 160 bytes of memory per needed object (docs/measurements/clean.md).
 */
export class NeededObjects {
  readonly #store: ObjectStore;
  readonly #without: ReadonlySet<string>;
  readonly #needed = new Set<string>();
  /** The versions of the records read so far. */
  readonly #read = new Map<string, string>();

  /** @param without batches to ignore, because they are about to be removed */
  constructor(store: ObjectStore, without: ReadonlySet<string> = new Set()) {
    this.#store = store;
    this.#without = without;
  }

  /** Reads the records that batches have written since the last call. @throws DamagedRecord */
  async refresh(): Promise<void> {
    await inParallel(this.#unread(), async ({ name, version }) => {
      const lines = await readRecordLines(this.#store, name).catch((error: unknown) => {
        // Its batch is being removed right now.
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
