import { readFile, stat } from 'node:fs/promises';
import { UserError } from '../../../domain/user-error.ts';
import { type ImageMetadata, readImageMetadata } from '../../../images/index.ts';

/** Our images are far smaller: an uncompressed 4K image has 25 MB. */
const MAX_BYTES = 100_000_000;

/**
 * How an image was made, as its file records it.
 *
 * @throws UserError if there is no such file, or it is not one of our images
 */
export const imageOrigin = async (file: string): Promise<ImageMetadata> => originIn(await imageFile(file), file);

/** Like imageOrigin, for a file that has been read. */
export async function originIn(bytes: Uint8Array, file: string): Promise<ImageMetadata> {
  const metadata = await readImageMetadata(bytes).catch((error: unknown) => {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file}: expected an image, found something else (${(error as Error).message})`);
  });
  if (metadata !== null) return metadata;
  throw new UserError(
    `${file}: expected an image that pixart-batch made, found one without its parameters; editors and messengers remove them on saving`,
  );
}

/** @throws UserError if there is no such file, or it is larger than any of our images */
export async function imageFile(file: string): Promise<Uint8Array> {
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw new UserError(`${file}: expected an image, found a folder`);
    const { size } = found;
    if (size > MAX_BYTES) throw new UserError(`${file}: expected at most ${MAX_BYTES} bytes, found ${size}`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file}: expected an image, but it cannot be read (${(error as Error).message})`);
  }
}
