import type { Job } from '../../../domain/job.ts';
import type { Size } from '../../../domain/size.ts';
import { UserError } from '../../../domain/user-error.ts';
import type { ImageMetadata } from '../../../images/index.ts';
import { chosenBundle } from '../../../models/pixart/chosen-bundle.ts';
import { type Bundle, listBundles, openBundle } from '../../../models/pixart/index.ts';
import { imageOrigin } from './image-origin.ts';

/** The columns of a catalog, as options; a plan of one row checks them. */
export type RowOptions = {
  prompt?: string | undefined;
  negativePrompt?: string | undefined;
  size?: Size | undefined;
  aspect?: string | undefined;
  width?: string | undefined;
  height?: string | undefined;
  seed?: string | undefined;
  steps?: string | undefined;
  guidance?: string | undefined;
};

/** An image that another one is to be like: what it says of itself, and its parameters as a row's cells. */
export type Model = { file: string; origin: ImageMetadata; row: RowOptions };

/** @throws UserError where the file is none of our images */
export async function modelImage(file: string): Promise<Model> {
  const origin = await imageOrigin(file);
  const { prompt, negativePrompt, size, width, height, seed, steps, guidance } = origin;
  const numbers = Object.entries({ width, height, seed, steps, guidance }).map(([name, value]) => [name, `${value}`]);
  return { file, origin, row: { prompt, negativePrompt, size, ...Object.fromEntries(numbers) } };
}

/** The model's cells with those that were asked for in their place; at another size it keeps its shape. */
export function rowLike({ row }: Model, asked: RowOptions): RowOptions {
  const { width, height, ...rest } = row;
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  if (asked.aspect !== undefined) return { ...rest, ...given };
  const shape =
    asked.size === undefined || asked.width !== undefined ? { width, height } : { aspect: `${width}:${height}` };
  return { ...rest, ...shape, ...given };
}

/**
 * The bundle that made the model, unless another is asked for.
 *
 * @throws UserError where it is not installed
 */
export async function bundleLike({ origin }: Model, asked: string | undefined): Promise<Bundle> {
  if (asked !== undefined) return chosenBundle(asked);
  for (const folder of (await listBundles()).values()) {
    const bundle = await openBundle(folder);
    if (bundle.digest === origin.bundleDigest) return bundle;
  }
  throw new UserError(
    `bundle: the image was made with ${origin.bundleName} (digest ${origin.bundleDigest}), which is not installed; --bundle takes another, which makes another picture`,
  );
}

/**
 * Why the file will not be the model's although nothing that makes another one was asked for; `null` where it will be.
 *
 * @param isChanged whether anything was asked for
 */
export function whatDiffers({ origin }: Model, bundle: Bundle, job: Job, isChanged: boolean): string | null {
  if (bundle.digest !== origin.bundleDigest) {
    return `the image was made with another bundle (${origin.bundleName}), so this is another picture`;
  }
  if (isChanged || job.renderKey === origin.renderKey) return null;
  if (job.quality !== null && origin.quality === undefined) {
    return `the image does not say its quality, so this one has ${job.quality}`;
  }
  return `${origin.software} made the image in another way or another format, so this file is another one`;
}
