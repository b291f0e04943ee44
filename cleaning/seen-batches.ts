import type { ObjectStore } from '../store/index.ts';
import type { SeenBatch } from './choose-batches.ts';
import { batchPartOf } from './own-names.ts';

/** A batch in a store's listing. */
export type ListedBatch = SeenBatch & {
  /** What of it is the product's own, and what its removal would free. */
  files: number;
  bytes: number;
};

/**
 * Every batch of a store, in the order of their names. A folder in which nothing is a batch's is none, and a file that somebody put beside
 * a batch makes it as young as that file.
 */
export async function* seenBatches(store: ObjectStore, prefix = 'batches/'): AsyncGenerator<ListedBatch> {
  let seen = unseen('');
  for await (const { name, bytes, writtenAt, isShared } of store.list(prefix)) {
    const [, batch = ''] = /^batches\/([^/]+)\//.exec(name) ?? [];
    if (seen.batch !== batch) {
      if (seen.files > 0) yield seen;
      seen = unseen(batch);
    }
    const own = batchPartOf(name);
    if (own?.part === 'removal') seen.isBeingRemoved = true;
    else seen.writtenAt = Math.max(seen.writtenAt, writtenAt);
    if (own === null) continue;
    seen.files += 1;
    if (!isShared) seen.bytes += bytes;
  }
  if (seen.files > 0) yield seen;
}

const unseen = (batch: string): ListedBatch => ({ batch, files: 0, bytes: 0, writtenAt: 0, isBeingRemoved: false });
