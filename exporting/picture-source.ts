import { createHash } from 'node:crypto';
import type { ManifestRow } from '../records/manifest-table.ts';
import { crc32c } from '../store/crc32c.ts';
import { type ObjectStore, readIfThere } from '../store/index.ts';
import { CannotShow } from './cannot-show.ts';

/**
 * Reads the batch's own copy of a picture.
 *
 * @throws CannotShow if it is missing or was changed
 */
export async function readCopy(
  store: ObjectStore,
  { file, crc32c: made, signed_crc32c }: ManifestRow,
): Promise<Uint8Array> {
  const bytes = await readIfThere(store, file);
  if (bytes === null) throw new CannotShow(`${file} is missing: "verify" says more, and "verify --repair" restores it`);
  if (crc32c(bytes) === (signed_crc32c ?? made)) return bytes;
  throw new CannotShow(`${file} was changed: "verify" says more, and "verify --repair" restores it`);
}

/** Identifies the bytes that readCopy returns. */
export const copyDigest = ({ render_key, crc32c: made, signed_crc32c }: ManifestRow): string =>
  createHash('sha256')
    .update(`${render_key} ${signed_crc32c ?? made}`)
    .digest('hex');
