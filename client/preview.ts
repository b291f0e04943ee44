import type { Job } from '../domain/job.ts';
import type { Size } from '../domain/size.ts';
import { type Estimate, estimate, type Work } from '../records/estimate.ts';
import { OBJECTS_FOLDER, objectName } from '../records/layout.ts';
import { readRates } from '../records/rates.ts';
import type { ObjectStore } from '../store/index.ts';

/** What a plan would meet, and the device time of what it would have to render. */
export type Preview = Estimate & {
  /** Different images that the store has already, from whatever batch. */
  stored: number;
  /** Different images that it has not. */
  toRender: number;
  /** What of the store is damaged, and what is not known therefore. */
  warnings: string[];
};

/** So many images are asked for one by one; for more, one listing of all that the store has is quicker. */
const ASKED_ONE_BY_ONE = 1_000;
const ASKED_AT_ONCE = 16;

type Picture = { size: Size; steps: number; pixels: number };

function workOf(pictures: Picture[]): Map<Size, Work> {
  const work = new Map<Size, Work>();
  for (const { size, steps, pixels } of pictures) {
    const before = work.get(size) ?? { images: 0, steps: 0, pixels: 0 };
    work.set(size, { images: before.images + 1, steps: before.steps + steps, pixels: before.pixels + pixels });
  }
  return work;
}

/** The different pictures of a plan, noted as its jobs come, to be compared with what a store has. */
export class PlannedPictures {
  readonly #pictures = new Map<string, Picture>();

  add({ renderKey, format, size, steps, bin }: Job): void {
    this.#pictures.set(objectName(renderKey, format), { size, steps, pixels: bin.width * bin.height });
  }

  async preview(store: ObjectStore, bundleDigest: string): Promise<Preview> {
    const missing = new Map(this.#pictures);
    for await (const name of storedOf(store, [...missing.keys()])) missing.delete(name);
    const warnings: string[] = [];
    const rates = await readRates(store, bundleDigest, (message) => warnings.push(message));
    return {
      stored: this.#pictures.size - missing.size,
      toRender: missing.size,
      ...estimate(rates, workOf([...missing.values()])),
      warnings,
    };
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
