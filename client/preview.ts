import type { Size } from '../domain/size.ts';
import { type Estimate, estimate, type Work } from '../records/estimate.ts';
import type { PlannedPicture, PlannedPictures } from '../records/planned-pictures.ts';
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

function workOf(pictures: readonly PlannedPicture[]): Map<Size, Work> {
  const work = new Map<Size, Work>();
  for (const { size, steps, pixels } of pictures) {
    const before = work.get(size) ?? { images: 0, steps: 0, pixels: 0 };
    work.set(size, { images: before.images + 1, steps: before.steps + steps, pixels: before.pixels + pixels });
  }
  return work;
}

/** Compares a plan's pictures with what the store has. */
export async function preview(pictures: PlannedPictures, store: ObjectStore, bundleDigest: string): Promise<Preview> {
  const missing = await pictures.missing(store);
  const warnings: string[] = [];
  const rates = await readRates(store, bundleDigest, (message) => warnings.push(message));
  return {
    stored: pictures.count - missing.length,
    toRender: missing.length,
    ...estimate(rates, workOf(missing)),
    warnings,
  };
}
