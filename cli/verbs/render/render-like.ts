import type { Job } from '../../../domain/job.ts';
import { UserError } from '../../../domain/user-error.ts';
import type { ImageMetadata } from '../../../images/index.ts';
import { type Bundle, chosenBundle, openBundles } from '../../../models/pixart/index.ts';
import { imageOrigin } from './image-origin.ts';
import { type RowOptions, rowAsked } from './row-options.ts';

/** An image that another one is to be like: what it says of itself, and its parameters as a row's cells. */
export type Model = { file: string; origin: ImageMetadata; row: RowOptions };

/** @throws UserError where the file is none of our images */
export async function modelImage(file: string): Promise<Model> {
  const origin = await imageOrigin(file);
  const said = Object.entries(origin).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
  return { file, origin, row: rowAsked(origin.prompt, Object.fromEntries(said)) };
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
  const refused: string[] = [];
  const bundles = await openBundles(({ message }) => refused.push(message));
  const bundle = bundles.find(({ digest }) => digest === origin.bundleDigest);
  if (bundle !== undefined) return bundle;
  const unless = refused.length === 0 ? '; ' : `, unless it is one of those that are refused:\n${refused.join('\n')}\n`;
  throw new UserError(
    `bundle: the image was made with ${origin.bundleName} (digest ${origin.bundleDigest}), which is not installed${unless}` +
      '--bundle takes another, which makes another picture',
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
