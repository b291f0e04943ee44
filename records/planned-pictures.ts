import { DigestSet } from '../domain/digest-set.ts';
import type { ImageFormat } from '../domain/image-format.ts';
import type { Job } from '../domain/job.ts';
import type { Size } from '../domain/size.ts';
import type { ObjectStore } from '../store/index.ts';
import { OBJECTS_FOLDER, objectName } from './layout.ts';

/** Up to this many images are looked up one by one; beyond that, listing the whole store is quicker. */
const ASKED_ONE_BY_ONE = 1_000;
const ASKED_AT_ONCE = 16;

/** A number of pictures that take equally long to render. */
export type AlikePictures = { size: Size; steps: number; pixels: number; images: number };

type Kind = Omit<AlikePictures, 'images'> & { format: ImageFormat };

/** The distinct pictures of a plan, collected job by job, for comparison with a store. */
export class PlannedPictures {
  readonly #keys = new DigestSet();
  /** The kind of each picture. */
  readonly #kinds: Kind[] = [];
  readonly #known = new Map<string, Kind>();

  /** Rows that share one picture count once. */
  add({ renderKey, format, size, steps, bin }: Job): void {
    if (this.#keys.add(renderKey) < this.#kinds.length) return;
    const pixels = bin.width * bin.height;
    const name = `${format} ${size} ${steps} ${pixels}`;
    const kind = this.#known.get(name) ?? { format, size, steps, pixels };
    this.#known.set(name, kind);
    this.#kinds.push(kind);
  }

  get count(): number {
    return this.#keys.size;
  }

  /** The pictures that the store does not have from any batch. */
  async missing(store: ObjectStore): Promise<AlikePictures[]> {
    const isStored = new Uint8Array(this.count);
    for await (const index of this.#stored(store)) isStored[index] = 1;
    const images = new Map<Kind, number>();
    for (const [index, kind] of this.#kinds.entries()) {
      if (isStored[index] === 0) images.set(kind, (images.get(kind) ?? 0) + 1);
    }
    return [...images].map(([{ size, steps, pixels }, count]) => ({ size, steps, pixels, images: count }));
  }

  /** The indexes of the pictures that the store has. */
  async *#stored(store: ObjectStore): AsyncGenerator<number> {
    const nameAt = (index: number): string => objectName(this.#keys.at(index), this.#kinds[index]!.format);
    if (this.count > ASKED_ONE_BY_ONE) {
      for await (const { name } of store.list(OBJECTS_FOLDER)) {
        const index = this.#keys.indexOf(keyIn(name));
        if (index >= 0 && nameAt(index) === name) yield index;
      }
      return;
    }
    for (let start = 0; start < this.count; start += ASKED_AT_ONCE) {
      const asked = Array.from({ length: Math.min(ASKED_AT_ONCE, this.count - start) }, (_, at) => start + at);
      const found = await Promise.all(asked.map((index) => store.stat(nameAt(index))));
      yield* asked.filter((_, at) => found[at] !== null);
    }
  }
}

/** The render key in an object's name; for any other name, a text that is not a key. */
const keyIn = (name: string): string => name.slice(OBJECTS_FOLDER.length).split('.', 1)[0]!;
