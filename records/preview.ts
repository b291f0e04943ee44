import type { Size } from '../domain/size.ts';
import type { ObjectStore } from '../store/index.ts';
import { type Estimate, estimate, type Work } from './estimate.ts';
import type { AlikePictures, PlannedPictures } from './planned-pictures.ts';
import { readRates } from './rates.ts';

/** How much of a plan the store already has, and the device time of the rest. */
export type Preview = Estimate & {
  /** Distinct images that the store has already, from any batch. */
  stored: number;
  /** Distinct images that it does not have. */
  toRender: number;
  /** Damaged files in the store, and what is unknown because of them. */
  warnings: string[];
};

function workOf(pictures: readonly AlikePictures[]): Map<Size, Work> {
  const work = new Map<Size, Work>();
  for (const { size, steps, pixels, images } of pictures) {
    const before = work.get(size) ?? { images: 0, steps: 0, pixels: 0 };
    work.set(size, {
      images: before.images + images,
      steps: before.steps + images * steps,
      pixels: before.pixels + images * pixels,
    });
  }
  return work;
}

/** Compares a plan's pictures with what the store has. */
export const preview = async (pictures: PlannedPictures, store: ObjectStore, bundleDigest: string): Promise<Preview> =>
  previewOf(pictures, await pictures.missing(store), store, bundleDigest);

/** @param missing the pictures that the store does not have */
export async function previewOf(
  pictures: PlannedPictures,
  missing: readonly AlikePictures[],
  store: ObjectStore,
  bundleDigest: string,
): Promise<Preview> {
  const toRender = missing.reduce((sum, { images }) => sum + images, 0);
  const warnings: string[] = [];
  const rates = await readRates(store, bundleDigest, (message) => warnings.push(message));
  return {
    stored: pictures.count - toRender,
    toRender,
    ...estimate(rates, workOf(missing)),
    warnings,
  };
}
