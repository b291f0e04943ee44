import type { Job } from '../../../domain/job.ts';
import { UserError } from '../../../domain/user-error.ts';
import type { ImageMetadata } from '../../../images/index.ts';
import { type Bundle, chosenBundle, openBundles } from '../../../models/pixart/index.ts';
import { imageOrigin } from './image-origin.ts';
import { type RowOptions, rowAsked } from './row-options.ts';

/** An image to imitate: what its file records, and its parameters as cells of a row. */
export type Model = { file: string; origin: ImageMetadata; row: RowOptions };

/** @throws UserError if the file is not one of our images */
export async function modelImage(file: string): Promise<Model> {
  const origin = await imageOrigin(file);
  const said = Object.entries(origin).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
  return { file, origin, row: rowAsked(origin.prompt, Object.fromEntries(said)) };
}

/** The model's cells, overridden by the requested ones; at another size it keeps its aspect ratio. */
export function rowLike({ row }: Model, asked: RowOptions): RowOptions {
  const { width, height, ...rest } = row;
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  if (asked.aspect !== undefined) return { ...rest, ...given };
  const shape =
    asked.size === undefined || asked.width !== undefined ? { width, height } : { aspect: `${width}:${height}` };
  return { ...rest, ...shape, ...given };
}

/**
 * The bundle that made the model, unless another is requested.
 *
 * @throws UserError if it is not installed
 */
export async function bundleLike({ origin }: Model, asked: string | undefined): Promise<Bundle> {
  if (asked !== undefined) return chosenBundle(asked);
  const refused: string[] = [];
  const bundles = await openBundles(({ message }) => refused.push(message));
  const bundle = bundles.find(({ digest }) => digest === origin.bundleDigest);
  if (bundle !== undefined) return bundle;
  const unless =
    refused.length === 0 ? '; ' : `, unless it is one of these, which cannot be used:\n${refused.join('\n')}\n`;
  throw new UserError(
    `bundle: the image was made with ${origin.bundleName} (digest ${origin.bundleDigest}), which is not installed${unless}` +
      'name another with --bundle, which renders a different image',
  );
}

/**
 * Why the file will differ from the model's although no option asks for that; `null` if it will not.
 *
 * @param isChanged whether an option asks for a change
 */
export function whatDiffers({ origin }: Model, bundle: Bundle, job: Job, isChanged: boolean): string | null {
  if (bundle.digest !== origin.bundleDigest) {
    return `the image was made with another bundle (${origin.bundleName}), so this one will differ`;
  }
  if (isChanged || job.renderKey === origin.renderKey) return null;
  if (job.quality !== null && origin.quality === undefined) {
    return `the image does not record its quality, so this one has ${job.quality}`;
  }
  return `${origin.software} made the image in another way or another format, so this file will differ`;
}
