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

export type BatchRemoval = {
  count: Count;
  /** Asked once nobody can begin another round of the batch any more. */
  isIdle(): Promise<boolean>;
  onRemoved(): void;
  signal?: AbortSignal | undefined;
};

/**
 * Removes a batch: its images, then its records. What somebody else put into its folder stays, images among it that are none of the batch's
 * jobs. Killed half way it is gone on with by whoever removes it again, whatever its age is then.
 *
 * @returns why the batch, or some of it, stays; `null` where no more of it does than the note of its removal
 * @throws DamagedRecord where nothing tells any more which images are the batch's
 */
export async function removeBatch(store: ObjectStore, seen: SeenBatch, removal: BatchRemoval): Promise<string | null> {
  const { batch } = seen;
  const { count, onRemoved, signal } = removal;
  const copies = await copiesOf(store, batch);
  if (!(await beginRemoval(store, batch, 'clean'))) return FORGOTTEN;
  if (!seen.isBeingRemoved && !(await isAsSeen(store, seen, removal))) {
    await orKept(count, () => endRemoval(store, batch));
    return 'it has come to life again meanwhile';
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
  // An image that stays is the batch's by its records only.
  if (count.kept === before && !signal?.aborted) await inParallel(recordsOf(store, batch), remove, signal);
  if (signal?.aborted) return 'its removal was interrupted: the next clean does the rest';
  if (count.kept > before) {
    return `the store keeps ${count.kept - before} of its files, ${count.keptWhy}: a later clean removes what is left`;
  }
  await orKept(count, () => endRemoval(store, batch));
  await store.removeEmptyFolders(batchFolder(batch));
  return null;
}

/** Why a clean leaves a batch alone whose plan still has to tell what is to be forgotten. */
export const FORGOTTEN = 'it is being forgotten: give the "forget" command again, which does the rest';

async function isAsSeen(
  store: ObjectStore,
  { batch, writtenAt }: SeenBatch,
  { isIdle }: BatchRemoval,
): Promise<boolean> {
  for await (const now of seenBatches(store, batchFolder(batch))) if (now.writtenAt !== writtenAt) return false;
  return isIdle();
}

/** All that removing a batch takes away. @throws DamagedRecord as removeBatch */
export async function* filesOf(store: ObjectStore, batch: string): AsyncGenerator<ListedObject> {
  yield* imagesOf(store, batch, await copiesOf(store, batch));
  yield* recordsOf(store, batch);
}

/** The copies of images that the batch's jobs have. */
async function* imagesOf(store: ObjectStore, batch: string, copies: ReadonlySet<string>): AsyncGenerator<ListedObject> {
  for await (const object of store.list(batchFolder(batch))) {
    if (batchPartOf(object.name)?.part === 'image' && copies.has(copyIn(batch, object.name))) yield object;
  }
}

/** All of the batch's own but its images, and what says that it is being removed. */
async function* recordsOf(store: ObjectStore, batch: string): AsyncGenerator<ListedObject> {
  for await (const object of store.list(batchFolder(batch))) {
    const part = batchPartOf(object.name)?.part;
    if (part !== undefined && part !== 'image' && part !== 'removal') yield object;
  }
}

/** What the copies of the batch's jobs are called in its folder, as far as its records tell. */
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
