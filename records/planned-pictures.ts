import type { Job } from '../domain/job.ts';
import type { Size } from '../domain/size.ts';
import type { ObjectStore } from '../store/index.ts';
import { OBJECTS_FOLDER, objectName } from './layout.ts';

/** So many images are asked for one by one; for more, one listing of all that the store has is quicker. */
const ASKED_ONE_BY_ONE = 1_000;
const ASKED_AT_ONCE = 16;

export type PlannedPicture = { size: Size; steps: number; pixels: number };

/** The different pictures of a plan, noted as its jobs come, to be compared with what a store has. */
export class PlannedPictures {
  readonly #pictures = new Map<string, PlannedPicture>();

  /** Rows that share one picture count once. */
  add({ renderKey, format, size, steps, bin }: Job): void {
    this.#pictures.set(objectName(renderKey, format), { size, steps, pixels: bin.width * bin.height });
  }

  get count(): number {
    return this.#pictures.size;
  }

  /** Those that the store has not, from whatever batch. */
  async missing(store: ObjectStore): Promise<PlannedPicture[]> {
    const missing = new Map(this.#pictures);
    for await (const name of storedOf(store, [...missing.keys()])) missing.delete(name);
    return [...missing.values()];
  }
}

/** Those of the objects that the store has, and perhaps others. */
async function* storedOf(store: ObjectStore, names: string[]): AsyncGenerator<string> {
  if (names.length > ASKED_ONE_BY_ONE) {
    for await (const { name } of store.list(OBJECTS_FOLDER)) yield name;
    return;
  }
  for (let start = 0; start < names.length; start += ASKED_AT_ONCE) {
    const asked = names.slice(start, start + ASKED_AT_ONCE);
    for (const found of await Promise.all(asked.map((name) => store.stat(name)))) if (found) yield found.name;
  }
}
