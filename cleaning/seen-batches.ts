import type { ObjectStore } from '../store/index.ts';
import type { SeenBatch } from './choose-batches.ts';
import { batchPartOf } from './own-names.ts';

/** A batch in a store's listing. */
export type ListedBatch = SeenBatch & {
  /** How many files the product itself wrote, and the bytes that removing them would free. */
  files: number;
  bytes: number;
};

/**
 * Every batch of a store, by name. A folder without any of a batch's files is not a batch. A file that somebody put
 * into a batch's folder counts for the batch's age.
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
