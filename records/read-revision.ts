import { createHash } from 'node:crypto';
import type { ObjectStore } from '../store/index.ts';
import { damaged } from './damaged.ts';
import { isRevisionOf } from './layout.ts';

/**
 * Reads the kept `corrected` rows or `decisions` of a retry. Checked by digest, because a truncated file would parse,
 * as fewer rows.
 *
 * @throws DamagedRecord if its content does not match the digest in its name
 */
export async function readRevision(store: ObjectStore, name: string): Promise<Uint8Array> {
  const bytes = await store.read(name);
  if (isRevisionOf(name, createHash('sha256').update(bytes).digest('hex'))) return bytes;
  const file = {
    store: store.url,
    name,
    holds: 'content that matches the digest in its name',
    remedy: 'Move it aside and retry with the file that it was made from.',
  };
  throw damaged(file, null, `${bytes.length} other bytes`);
}
