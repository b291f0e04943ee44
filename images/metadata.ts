import sharp from 'sharp';
import type { ImageMetadata } from './properties.ts';
import { fromXmp } from './xmp.ts';

/**
 * What an image file says of its own making, `null` where it does not say it in our terms.
 *
 * @throws Error where the bytes are no image
 */
export async function readImageMetadata(file: Uint8Array): Promise<ImageMetadata | null> {
  const { xmp } = await sharp(file).metadata();
  return xmp === undefined ? null : fromXmp(xmp.toString('utf8'));
}

/** The render key that a file carries, `null` where it is none of our images. */
export async function readRenderKey(file: Uint8Array): Promise<string | null> {
  const metadata = await readImageMetadata(file).catch(() => null);
  return metadata?.renderKey ?? null;
}
