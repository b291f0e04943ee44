import { nearestBin } from '../../domain/bins.ts';
import type { Size } from '../../domain/size.ts';
import type { Thrift } from '../../domain/thrift.ts';
import { type BundleDescription, imagesInCall, type RenderRequest } from '../pixart/index.ts';

/** The properties of a bundle that decide how its images are computed. */
export type PartOfDescription = Pick<BundleDescription, 'vae' | 'transformer' | 'precision' | 'defaults'>;

/** The properties of an image that decide how it is computed. */
export function pictureFacts(
  { bin, guidance, decode }: Pick<RenderRequest, 'bin' | 'guidance' | 'decode'>,
  { vae, transformer, precision }: PartOfDescription,
) {
  const [height, width] = [bin.height / vae.factor, bin.width / vae.factor];
  const tokens = (height * width) / transformer.patch ** 2;
  const weights = precision?.transformer.weights;
  const { onePiece } = vae;
  return { height, width, onePiece, tokens, weights, isGuided: guidance > 1, isWhole: decode === 'whole' };
}

/** How many images a child may paint at once in shared calls, and what decides how many of one kind fit. */
export type MicroBatch = { images: number; description: PartOfDescription };

/** How many of a child's places an image takes: the part of a call that it fills. */
export function placesOf(
  request: Pick<RenderRequest, 'bin' | 'guidance' | 'decode'>,
  thrift: Thrift | undefined,
  { images, description }: MicroBatch,
): number {
  return Math.ceil(images / imagesInCall({ ...pictureFacts(request, description), ...thrift }, images));
}

/** How many square images of a size, with the bundle's default guidance, a child paints at once. */
export function imagesAtOnce(size: Size, { images, description }: MicroBatch): number {
  const { guidance } = description.defaults;
  return Math.floor(images / placesOf({ bin: nearestBin(size, 1, 1), guidance }, undefined, { images, description }));
}
