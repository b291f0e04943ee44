import sharp from 'sharp';
import type { ImageMetadata } from './properties.ts';
import { fromXmp } from './xmp.ts';

/**
 * How an image file says that it was made; `null` if it has no metadata of ours.
 *
 * @throws Error if the bytes are no image
 */
export async function readImageMetadata(file: Uint8Array): Promise<ImageMetadata | null> {
  const { xmp } = await sharp(file).metadata();
  return xmp === undefined ? null : fromXmp(xmp.toString('utf8'));
}

/** The render key in a file; `null` if it is not one of our images. */
export async function readRenderKey(file: Uint8Array): Promise<string | null> {
  const metadata = await readImageMetadata(file).catch(() => null);
  return metadata?.renderKey ?? null;
}
