import sharp from 'sharp';
import type { ImageFormat } from '../domain/image-format.ts';
import type { Job } from '../domain/job.ts';

/** What sharp calls them. */
const NAMES: Record<ImageFormat, string> = { png: 'png', webp: 'webp', avif: 'heif', jpeg: 'jpeg' };

/** An image's last chunk: no data, its name, and the checksum of these. */
const PNG_END = Buffer.from('0000000049454e44ae426082', 'hex');
const JPEG_END = Buffer.from('ffd9', 'hex');

/**
 * What keeps a file from being a whole image as a job describes it; `null` where it is one. libvips 8.18 decodes files that miss their end
 * mark or have more behind it (measured: a PNG without its last chunk, a JPEG that ends in zeros), so the end is looked at first. Bytes that
 * changed within the data of a JPEG or WebP file are another picture to any decoder: a checksum has to tell of them.
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
    if (!endsWhere[format](bytes)) return 'it is cut short, or has something behind its end';
    if (found.width !== width || found.height !== height) return `it has ${found.width}×${found.height} pixels`;
    await sharp(bytes, { failOn: 'warning' }).raw().toBuffer();
    return null;
  } catch (error) {
    return `it cannot be decoded: ${(error as Error).message.split('\n')[0]}`;
  }
}

/** Whether a file ends where its format says that it does. */
const endsWhere: Record<ImageFormat, (file: Buffer) => boolean> = {
  png: (file) => file.subarray(-PNG_END.length).equals(PNG_END),
  jpeg: (file) => file.subarray(-JPEG_END.length).equals(JPEG_END),
  // RIFF: after four letters the length of all that follows.
  webp: (file) => file.length >= 8 && file.readUInt32LE(4) + 8 === file.length,
  avif: endsWithBox,
};

/** ISO base media: boxes one after the other, each beginning with its length, or with 1 where eight bytes after its name have it. */
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
