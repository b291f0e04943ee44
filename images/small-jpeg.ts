import sharp from 'sharp';

/** Twice the column width of a message, for high-density screens. */
const WIDTH = 1_200;

const QUALITIES = [80, 60, 40];

/**
 * A picture as JPEG for a message, at most 1,200 pixels wide, in so many bytes.
 *
 * @returns `null` if fewer bytes would make it ugly
 * @throws Error if the bytes are no image
 */
export async function toSmallJpeg(image: Uint8Array, most: number): Promise<Uint8Array | null> {
  const narrow = sharp(image).flatten({ background: '#fff' }).resize({ width: WIDTH, withoutEnlargement: true });
  for (const quality of QUALITIES) {
    const jpeg = await narrow.clone().jpeg({ quality, mozjpeg: true }).toBuffer();
    if (jpeg.length <= most) return jpeg;
  }
  return null;
}
