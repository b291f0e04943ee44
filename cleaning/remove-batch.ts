import { batchFolder, manifestPrefix, planFolder, receiptsFolder } from '../records/layout.ts';
import { piecesIn } from '../records/plan-and-receipts.ts';
import { beginRemoval, endRemoval } from '../records/removal.ts';
import type { ListedObject, ObjectStore } from '../store/index.ts';
import type { SeenBatch } from './choose-batches.ts';
import { inParallel } from './in-parallel.ts';
import { batchPartOf, copyIn } from './own-names.ts';
import { readRecordLines } from './record-lines.ts';
import { seenBatches } from './seen-batches.ts';
import { type Count, countGone, orKept } from './tally.ts';

type BatchRemoval = {
  count: Count;
  /** Called once nobody can start another round of the batch. */
  isIdle(): Promise<boolean>;
  onRemoved(): void;
  signal?: AbortSignal | undefined;
};

/**
 * Removes a batch: its images, then its records. Files that somebody else put into its folder stay, including images
 * that belong to none of the batch's jobs. If killed half way, the next removal continues it, whatever the batch's age
 * by then.
 *
 * @returns why the batch, or part of it, stays; `null` if nothing of it stays, except perhaps the removal's mark
 * @throws DamagedRecord if it can no longer be known which images are the batch's
 */
export async function removeBatch(store: ObjectStore, seen: SeenBatch, removal: BatchRemoval): Promise<string | null> {
  const { batch } = seen;
  const { count, onRemoved, signal } = removal;
  const copies = await copiesOf(store, batch);
  if (!(await beginRemoval(store, batch, 'clean'))) return FORGOTTEN;
  if (!seen.isBeingRemoved && !(await isAsSeen(store, seen, removal))) {
    await orKept(count, () => endRemoval(store, batch));
    return 'it was started again in the meantime';
  }
  const remove = async (object: ListedObject): Promise<void> => {
    await orKept(count, async () => {
      if (!(await store.removeVersion(object))) return;
      countGone(count, object, true);
      onRemoved();
    });
  };
  const before = count.kept;
  await inParallel(imagesOf(store, batch, copies), remove, signal);
  // Only its records show that a remaining image is the batch's.
  if (count.kept === before && !signal?.aborted) await inParallel(recordsOf(store, batch), remove, signal);
  if (signal?.aborted) return 'its removal was interrupted: the next clean finishes it';
  if (count.kept > before) {
    return `the store keeps ${count.kept - before} of its files: ${count.keptWhy}; a later clean removes the rest`;
  }
  await orKept(count, () => endRemoval(store, batch));
  await store.removeEmptyFolders(batchFolder(batch));
  return null;
}

/** Why a clean leaves a batch alone whose plan `forget` still needs. */
export const FORGOTTEN = 'it is being forgotten: run the "forget" command again to finish that';

async function isAsSeen(
  store: ObjectStore,
  { batch, writtenAt }: SeenBatch,
  { isIdle }: BatchRemoval,
): Promise<boolean> {
  for await (const now of seenBatches(store, batchFolder(batch))) if (now.writtenAt !== writtenAt) return false;
  return isIdle();
}

/** Everything that removing a batch removes. @throws DamagedRecord like removeBatch */
export async function* filesOf(store: ObjectStore, batch: string): AsyncGenerator<ListedObject> {
  yield* imagesOf(store, batch, await copiesOf(store, batch));
  yield* recordsOf(store, batch);
}

/** The copies of the images of the batch's jobs. */
async function* imagesOf(store: ObjectStore, batch: string, copies: ReadonlySet<string>): AsyncGenerator<ListedObject> {
  for await (const object of store.list(batchFolder(batch))) {
    if (batchPartOf(object.name)?.part === 'image' && copies.has(copyIn(batch, object.name))) yield object;
  }
}

/** All of the batch's own files except its images and the mark of its removal. */
async function* recordsOf(store: ObjectStore, batch: string): AsyncGenerator<ListedObject> {
  for await (const object of store.list(batchFolder(batch))) {
    const part = batchPartOf(object.name)?.part;
    if (part !== undefined && part !== 'image' && part !== 'removal') yield object;
  }
}

/** The names of the copies of the batch's jobs in its folder, as far as its records show. */
async function copiesOf(store: ObjectStore, batch: string): Promise<Set<string>> {
  const copies = new Set<string>();
  const pieces = [...(await piecesIn(store, planFolder(batch))), ...(await piecesIn(store, receiptsFolder(batch)))];
  const tables: string[] = [];
  for await (const { name } of store.list(manifestPrefix(batch))) {
    if (batchPartOf(name)?.part === 'table') tables.push(name);
  }
  await inParallel([...pieces.map(({ name }) => name), ...tables], async (name) => {
    for (const { copy } of await readRecordLines(store, name)) if (copy !== null) copies.add(copy);
  });
  return copies;
}
