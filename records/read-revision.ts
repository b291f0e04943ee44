import { createHash } from 'node:crypto';
import type { ObjectStore } from '../store/index.ts';
import { damaged } from './damaged.ts';
import { isRevisionOf } from './layout.ts';

/**
 * What a retry was told, as it was kept: `corrected` rows or `decisions`. Cut short it would still read well, as fewer of them.
 *
 * @throws DamagedRecord unless it is what its name is a digest of
 */
export async function readRevision(store: ObjectStore, name: string): Promise<Uint8Array> {
  const bytes = await store.read(name);
  if (isRevisionOf(name, createHash('sha256').update(bytes).digest('hex'))) return bytes;
  const file = {
    store: store.url,
    name,
    holds: 'what its name is a digest of',
    remedy: 'Move it aside and retry with the file that it was made from.',
  };
  throw damaged(file, null, `${bytes.length} other bytes`);
}
