import { createHash } from 'node:crypto';
import type { ManifestRow } from '../records/manifest-table.ts';
import { crc32c } from '../store/crc32c.ts';
import { type ObjectStore, readIfThere } from '../store/index.ts';
import { CannotShow } from './cannot-show.ts';

/**
 * The batch's own copy of a picture.
 *
 * @throws CannotShow where it is not as it was made
 */
export async function readCopy(
  store: ObjectStore,
  { file, crc32c: made, signed_crc32c }: ManifestRow,
): Promise<Uint8Array> {
  const bytes = await readIfThere(store, file);
  if (bytes === null)
    throw new CannotShow(`${file} is not there: "verify" tells more, and "verify --repair" brings it back`);
  if (crc32c(bytes) === (signed_crc32c ?? made)) return bytes;
  throw new CannotShow(`${file} is not as it was made: "verify" tells more, and "verify --repair" brings it back`);
}

/** What identifies the bytes that readCopy gives. */
export const copyDigest = ({ render_key, crc32c: made, signed_crc32c }: ManifestRow): string =>
  createHash('sha256')
    .update(`${render_key} ${signed_crc32c ?? made}`)
    .digest('hex');
