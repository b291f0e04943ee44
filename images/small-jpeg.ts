import sharp from 'sharp';

/** A message's column is narrower; screens that show two pixels for one have use for it. */
const WIDTH = 1_200;

const QUALITIES = [80, 60, 40];

/**
 * A picture as JPEG for a message, at most 1,200 pixels wide, in so many bytes.
 *
 * @returns `null` where it would be ugly in fewer
 * @throws Error where the bytes are no image
 */
export async function toSmallJpeg(image: Uint8Array, most: number): Promise<Uint8Array | null> {
  const narrow = sharp(image).flatten({ background: '#fff' }).resize({ width: WIDTH, withoutEnlargement: true });
  for (const quality of QUALITIES) {
    const jpeg = await narrow.clone().jpeg({ quality, mozjpeg: true }).toBuffer();
    if (jpeg.length <= most) return jpeg;
  }
  return null;
}
