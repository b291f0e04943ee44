import { nearestBin } from '../../domain/bins.ts';
import type { Size } from '../../domain/size.ts';
import type { Thrift } from '../../domain/thrift.ts';
import { type BundleDescription, imagesInCall, type RenderRequest } from '../pixart/index.ts';

/** What of a bundle decides how its pictures are computed. */
export type PartOfDescription = Pick<BundleDescription, 'vae' | 'transformer' | 'precision' | 'defaults'>;

/** What of a picture decides how it is computed. */
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

/** How many images a child paints at once where they share calls, and what decides how many of a kind do. */
export type MicroBatch = { images: number; description: PartOfDescription };

/** How many of a child's places an image takes: as much of them as it fills of a call. */
export function placesOf(
  request: Pick<RenderRequest, 'bin' | 'guidance' | 'decode'>,
  thrift: Thrift | undefined,
  { images, description }: MicroBatch,
): number {
  return Math.ceil(images / imagesInCall({ ...pictureFacts(request, description), ...thrift }, images));
}

/** How many images of a size a child paints at once, where they are square and have the bundle's usual guidance. */
export function imagesAtOnce(size: Size, { images, description }: MicroBatch): number {
  const { guidance } = description.defaults;
  return Math.floor(images / placesOf({ bin: nearestBin(size, 1, 1), guidance }, undefined, { images, description }));
}
