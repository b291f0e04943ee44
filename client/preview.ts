import type { Job } from '../catalog/job.ts';
import { OBJECTS_FOLDER, type ObjectStore, objectName } from '../store/index.ts';

/** What a plan would meet. */
export type Preview = {
  /** Different images that the store has already, from whatever batch. */
  stored: number;
  /** Different images that it has not. */
  toRender: number;
  /** Rows whose prompt is longer than the model reads. */
  cutPrompts: { rows: number; firstLines: number[] };
};

const LINES_SHOWN = 10;

/** Looks at a plan's jobs as they come, and then into the store. */
export class PreviewBuilder {
  readonly #isCut: (prompt: string) => boolean;
  readonly #objects = new Set<string>();
  readonly #cutLines = new Set<number>();

  /** @param isCut says of a prompt whether the model reads all of it */
  constructor(isCut: (prompt: string) => boolean) {
    this.#isCut = isCut;
  }

  add({ renderKey, format, prompt, line }: Job): void {
    this.#objects.add(objectName(renderKey, format));
    if (this.#isCut(prompt)) this.#cutLines.add(line);
  }

  /** One listing of the store's objects, which costs less than a question for each image. */
  async preview(store: ObjectStore): Promise<Preview> {
    let stored = 0;
    for await (const { name } of store.list(OBJECTS_FOLDER)) if (this.#objects.has(name)) stored += 1;
    const lines = [...this.#cutLines];
    return {
      stored,
      toRender: this.#objects.size - stored,
      cutPrompts: { rows: lines.length, firstLines: lines.slice(0, LINES_SHOWN) },
    };
  }
}
