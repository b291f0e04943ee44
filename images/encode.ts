import sharp, { type Sharp } from 'sharp';
import type { ImageFormat } from '../domain/image-format.ts';
import type { Job } from '../domain/job.ts';
import type { Thrift } from '../domain/thrift.ts';
import { checkMetadata } from './metadata-limit.ts';
import { imageMetadata } from './properties.ts';
import { toXmp } from './xmp.ts';

/** Rows from the top, three bytes per pixel, sRGB. */
export type Pixels = { rgb: Uint8Array; width: number; height: number; thrift?: Thrift };

/** What determines the file besides the pixels: format, quality and parameters of the job, and the bundle. */
type Origin = { job: Job; bundle: { name: string; digest: string } };

/** Effort and sampling of each format, chosen by docs/measurements/image-encoding.md. */
const encoders: Record<ImageFormat, (image: Sharp, quality: number) => Sharp> = {
  png: (image) => image.png({ compressionLevel: 6, adaptiveFiltering: true }),
  webp: (image, quality) => image.webp({ quality }),
  avif: (image, quality) => image.avif({ quality, effort: 2 }),
  jpeg: (image, quality) => image.jpeg({ quality, chromaSubsampling: '4:4:4' }),
};

/**
 * The AV1 encoder splits an image among its threads, and every number of threads makes a different file
 * (findings/avif-bytes-depend-on-threads.sh). sharp uses one thread on Linux with glibc, and one per core elsewhere, with
 * jemalloc, or if MALLOC_ARENA_MAX is set; libvips has one setting for the whole process.
 */
sharp.concurrency(1);

export const contentType = (format: ImageFormat): string => `image/${format}`;

/**
 * Encodes an image in its job's format, with the job's parameters as XMP. The same input gives the same bytes.
 *
 * @throws UserError if the prompt is too long for JPEG's metadata
 * @throws RangeError if the pixels are not width × height × 3 bytes, or a lossy format has no quality
 */
export async function encodeImage(pixels: Pixels, { job, bundle }: Origin): Promise<Uint8Array> {
  const { rgb, width, height } = pixels;
  if (rgb.length !== width * height * 3) {
    throw new RangeError(`pixels: expected ${width}×${height}×3 = ${width * height * 3} bytes, found ${rgb.length}`);
  }
  const { format, quality } = job;
  if (quality === null && format !== 'png')
    throw new RangeError(`${format}: expected a quality of 1 to 100, found none`);
  const xmp = toXmp(imageMetadata(job, bundle, pixels.thrift?.tileLatents));
  checkMetadata(job, xmp);
  const image = sharp(rgb, { raw: { width, height, channels: 3 } });
  return encodeAs(image, format, quality, xmp);
}

/**
 * Encodes the output of a sharp pipeline with our standard settings. The same input gives the same bytes.
 *
 * @param quality 1 to 100; PNG has none
 * @param xmp metadata of the file; in JPEG it must fit (see metadata-limit.ts)
 */
export function encodeAs(image: Sharp, format: ImageFormat, quality: number | null, xmp: string): Promise<Uint8Array> {
  return encoders[format](image, quality ?? 100)
    .withXmp(xmp)
    .toBuffer();
}
