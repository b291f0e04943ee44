import type { ImageFormat } from '../domain/image-format.ts';
import type { Job } from '../domain/job.ts';
import { UserError } from '../domain/user-error.ts';
import { imageMetadata } from './properties.ts';
import { toXmp } from './xmp.ts';

/** The most that libvips writes into a JPEG file; it silently drops a longer packet (findings/jpeg-loses-long-xmp.sh). */
const JPEG_XMP_BYTES = 60_000;

/** A character takes at most six bytes in XML and UTF-8; everything except the prompts fits into the reserve. */
const mayBeTooLong = ({ format, prompt, negativePrompt }: Job): boolean =>
  format === 'jpeg' && (2 * prompt.length + negativePrompt.length) * 6 > JPEG_XMP_BYTES - 10_000;

/**
 * Returns a check for jobs of a bundle: why their metadata would not fit into the file, and the column to blame; `null` if it
 * fits. Encodes nothing.
 */
export const metadataLimit = (bundle: { name: string; digest: string }) => (job: Job) => {
  const bytes = mayBeTooLong(job) ? tooManyBytes(job, toXmp(imageMetadata(job, bundle))) : null;
  if (bytes === null) return null;
  return {
    column: 'prompt' as const,
    expected: `prompts that fit, with the rest of the metadata, into the ${holds} bytes that a JPEG file has for it`,
    found: `${bytes}; shorten them, or choose png, webp or avif`,
  };
};

const holds = JPEG_XMP_BYTES.toLocaleString('en');

/** Whether a file of this format has room for this metadata. */
export const hasRoom = (format: ImageFormat, xmp: string): boolean => tooManyBytes({ format }, xmp) === null;

/**
 * @param xmp the job's metadata for its file
 * @throws UserError if the job's format has no room for it
 */
export function checkMetadata(job: Job, xmp: string): void {
  const bytes = tooManyBytes(job, xmp);
  if (bytes === null) return;
  throw new UserError(
    `job ${job.id}: its metadata (${bytes} bytes, including the prompt) does not fit into JPEG, which holds ${holds}; shorten the prompt or choose png, webp or avif`,
  );
}

function tooManyBytes({ format }: Pick<Job, 'format'>, xmp: string): string | null {
  const bytes = Buffer.byteLength(xmp);
  return format === 'jpeg' && bytes > JPEG_XMP_BYTES ? bytes.toLocaleString('en') : null;
}
