import sharp from 'sharp';
import type { ImageFormat } from '../domain/image-format.ts';
import type { Job } from '../domain/job.ts';

/** Names of the formats in sharp. */
const NAMES: Record<ImageFormat, string> = { png: 'png', webp: 'webp', avif: 'heif', jpeg: 'jpeg' };

/** The last chunk of a PNG: no data, its name, and their checksum. */
const PNG_END = Buffer.from('0000000049454e44ae426082', 'hex');
const JPEG_END = Buffer.from('ffd9', 'hex');

/**
 * Why a file is not a complete image as the job describes it; `null` if it is. libvips 8.18 decodes files without an end
 * marker, or with data after it (measured: a PNG without its last chunk, a JPEG that ends in zeros), so the end is checked
 * first. Changed bytes inside JPEG or WebP data decode to another image: only a checksum shows them.
 */
export async function imageFault(
  file: Uint8Array,
  { format, width, height }: Pick<Job, 'format' | 'width' | 'height'>,
): Promise<string | null> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length === 0) return 'it is empty';
  try {
    const found = await sharp(bytes).metadata();
    if (found.format !== NAMES[format]) return `it is of the format ${found.format}`;
    if (!endsWhere[format](bytes)) return 'it is truncated, or has data after its end';
    if (found.width !== width || found.height !== height) return `it has ${found.width}×${found.height} pixels`;
    await sharp(bytes, { failOn: 'warning' }).raw().toBuffer();
    return null;
  } catch (error) {
    return `it cannot be decoded: ${(error as Error).message.split('\n')[0]}`;
  }
}

/** Whether a file ends where its format says it should. */
const endsWhere: Record<ImageFormat, (file: Buffer) => boolean> = {
  png: (file) => file.subarray(-PNG_END.length).equals(PNG_END),
  jpeg: (file) => file.subarray(-JPEG_END.length).equals(JPEG_END),
  // RIFF: four letters, then the length of the rest.
  webp: (file) => file.length >= 8 && file.readUInt32LE(4) + 8 === file.length,
  avif: endsWithBox,
};

/** ISO base media: consecutive boxes that begin with their length; if that is 1, an eight-byte length follows the name. */
function endsWithBox(file: Buffer): boolean {
  let at = 0;
  while (at + 8 <= file.length) {
    const short = file.readUInt32BE(at);
    const length = short === 1 && at + 16 <= file.length ? Number(file.readBigUInt64BE(at + 8)) : short;
    if (length < 8) return false;
    at += length;
  }
  return at === file.length;
}
