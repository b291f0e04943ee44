import type { Job } from '../catalog/job.ts';
import { type Estimate, estimate, type Work } from '../catalog/rates.ts';
import type { Size } from '../catalog/size.ts';
import { OBJECTS_FOLDER, type ObjectStore, objectName, readRates } from '../store/index.ts';

/** What a plan would meet, and the device time of what it would have to render. */
export type Preview = Estimate & {
  /** Different images that the store has already, from whatever batch. */
  stored: number;
  /** Different images that it has not. */
  toRender: number;
  /** Rows whose prompt is longer than the model reads. */
  cutPrompts: { rows: number; firstLines: number[] };
};

const LINES_SHOWN = 10;

type Picture = { size: Size; steps: number; pixels: number };

function workOf(pictures: Picture[]): Map<Size, Work> {
  const work = new Map<Size, Work>();
  for (const { size, steps, pixels } of pictures) {
    const before = work.get(size) ?? { images: 0, steps: 0, pixels: 0 };
    work.set(size, { images: before.images + 1, steps: before.steps + steps, pixels: before.pixels + pixels });
  }
  return work;
}

/** Looks at a plan's jobs as they come, and then into the store. */
export class PreviewBuilder {
  readonly #isCut: (prompt: string) => boolean;
  readonly #objects = new Map<string, Picture>();
  readonly #cutLines = new Set<number>();

  /** @param isCut says of a prompt whether the model reads all of it */
  constructor(isCut: (prompt: string) => boolean) {
    this.#isCut = isCut;
  }

  add({ renderKey, format, prompt, line, size, steps, bin }: Job): void {
    this.#objects.set(objectName(renderKey, format), { size, steps, pixels: bin.width * bin.height });
    if (this.#isCut(prompt)) this.#cutLines.add(line);
  }

  /** One listing of the store's objects, which costs less than a question for each image. */
  async preview(store: ObjectStore, bundleDigest: string): Promise<Preview> {
    const missing = new Map(this.#objects);
    for await (const { name } of store.list(OBJECTS_FOLDER)) missing.delete(name);
    const lines = [...this.#cutLines];
    return {
      stored: this.#objects.size - missing.size,
      toRender: missing.size,
      ...estimate(await readRates(store, bundleDigest), workOf([...missing.values()])),
      cutPrompts: { rows: lines.length, firstLines: lines.slice(0, LINES_SHOWN) },
    };
  }
}
