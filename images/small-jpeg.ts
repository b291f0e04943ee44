import sharp from 'sharp';

/** Twice the column width of a message, for high-density screens. */
const WIDTH = 1_200;

const QUALITIES = [80, 60, 40];

/**
 * A picture as JPEG for a message: at most 1,200 pixels wide, and at most the given number of bytes.
 *
 * @returns `null` if it does not fit at an acceptable quality
 * @throws Error if the bytes are not an image
 */
export async function toSmallJpeg(image: Uint8Array, most: number): Promise<Uint8Array | null> {
  const narrow = sharp(image).flatten({ background: '#fff' }).resize({ width: WIDTH, withoutEnlargement: true });
  for (const quality of QUALITIES) {
    const jpeg = await narrow.clone().jpeg({ quality, mozjpeg: true }).toBuffer();
    if (jpeg.length <= most) return jpeg;
  }
  return null;
}
