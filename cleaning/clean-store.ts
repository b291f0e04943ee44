import { DamagedRecord } from '../records/damaged.ts';
import { removerOf } from '../records/removal.ts';
import { roundsOf } from '../records/rounds.ts';
import type { ListedObject, ObjectStore } from '../store/index.ts';
import { type BatchRules, chooseBatches, type KeptBatch, type SeenBatch } from './choose-batches.ts';
import { inParallel } from './in-parallel.ts';
import { NeededObjects } from './needed-objects.ts';
import { isOwn, type LooseKind, prefixOf } from './own-names.ts';
import { FORGOTTEN, filesOf, removeBatch } from './remove-batch.ts';
import { type ListedBatch, seenBatches } from './seen-batches.ts';
import { type Count, type Counts, countGone, noCounts, orKept } from './tally.ts';

const DAY_MS = 24 * 3_600_000;

/** A checkpoint serves a retry, which comes soon or never; captions and damaged files are of use for longer. */
export const LOOSE_AGES: [LooseKind, number][] = [
  ['checkpoints', 7 * DAY_MS],
  ['captions', 30 * DAY_MS],
  ['damaged', 30 * DAY_MS],
];

/** Size of a group of candidates. Each group is compared with what batches have planned since, and then removed at once. */
const OBJECTS_AT_A_TIME = 5_000;

export type StoreCleaning = {
  /** Which batches go; without rules, only those whose removal has started. */
  rules: BatchRules | null;
  /** How long objects that no batch needs stay after their last use or write. More than USE_NOTED_MS. */
  objectsUnusedForMs: number;
  /** Why a batch must stay, apart from the rules: `it is running`. `null` if it may go. */
  whyBusy(batch: SeenBatch): Promise<string | null>;
  /** Whether to remove files, or only count them. */
  remove: boolean;
  onRemoved?: (() => void) | undefined;
  signal?: AbortSignal | undefined;
  /** In milliseconds since 1970. */
  now: number;
};

export type Cleaned = {
  counts: Counts;
  /** Batches that were, or would be, removed as a whole. */
  batches: { batch: string; writtenAt: Date; bytes: number; files: number }[];
  /** Batches that are old enough and stay, at least in part. */
  kept: KeptBatch[];
  /** Why objects were left alone: a batch's record is damaged, so what it needs is unknown. */
  objectsLeft: string | null;
};

/**
 * Removes what is no longer needed from a store: batches by rules, the shared objects that no other batch needs, and
 * old checkpoints, captions and damaged files. It touches only files with exactly the product's names, and only the
 * versions that it listed. It may be killed at any time, run again, and run beside batches and beside itself.
 *
 * @throws the store's errors
 */
export async function cleanStore(store: ObjectStore, cleaning: StoreCleaning): Promise<Cleaned> {
  const counts = noCounts();
  const { remove, keep } = await chosen(store, cleaning);
  const cleaned: Cleaned = { counts, batches: [], kept: keep, objectsLeft: null };
  for (const seen of remove) {
    if (cleaning.signal?.aborted) return cleaned;
    const why = await cleanBatch(store, seen, counts.batches, cleaning);
    if (why !== null) keep.push({ batch: seen.batch, why });
    else cleaned.batches.push(listing(seen));
  }
  for (const [kind, ageMs] of LOOSE_AGES) await cleanLoose(store, kind, ageMs, counts[kind], cleaning);
  const gone = new Set(cleaning.remove ? [] : cleaned.batches.map(({ batch }) => batch));
  try {
    await cleanObjects(store, new NeededObjects(store, gone), counts.objects, cleaning);
  } catch (error) {
    if (!(error instanceof DamagedRecord)) throw error;
    cleaned.objectsLeft = error.message;
  }
  return cleaned;
}

const listing = ({ batch, writtenAt, bytes, files }: ListedBatch): Cleaned['batches'][number] => ({
  ...{ batch, bytes, files },
  writtenAt: new Date(writtenAt),
});

async function chosen(store: ObjectStore, { rules, whyBusy, now }: StoreCleaning) {
  const seen: ListedBatch[] = [];
  for await (const batch of seenBatches(store)) seen.push(batch);
  const catalogs = new Map<string, string>();
  if (rules !== null && rules.keepLast > 0) {
    await inParallel(seen, async ({ batch }) => {
      const catalog = await catalogOf(store, batch);
      if (catalog !== undefined) catalogs.set(batch, catalog);
    });
  }
  const { remove, keep } = chooseBatches(seen, rules, catalogs, now);
  const busy = new Map<string, string>();
  await inParallel(remove, async (batch) => {
    const isForgotten = batch.isBeingRemoved && (await removerOf(store, batch.batch)) !== 'clean';
    const why = isForgotten ? FORGOTTEN : await whyBusy(batch);
    if (why !== null) busy.set(batch.batch, why);
  });
  const kept = remove.flatMap(({ batch }) => (busy.has(batch) ? [{ batch, why: busy.get(batch)! }] : []));
  return { remove: remove.filter(({ batch }) => !busy.has(batch)), keep: [...keep, ...kept] };
}

async function catalogOf(store: ObjectStore, batch: string): Promise<string | undefined> {
  try {
    return (await roundsOf(store, batch)).record?.settings.catalog;
  } catch (error) {
    if (!(error instanceof DamagedRecord)) throw error;
    return undefined;
  }
}

/** @returns like removeBatch */
async function cleanBatch(
  store: ObjectStore,
  seen: ListedBatch,
  count: Count,
  { remove, whyBusy, onRemoved = () => {}, signal }: StoreCleaning,
): Promise<string | null> {
  try {
    if (remove) {
      const isIdle = async () => (await whyBusy(seen)) === null;
      return await removeBatch(store, seen, { count, isIdle, onRemoved, signal });
    }
    for await (const object of filesOf(store, seen.batch)) countGone(count, object, true);
    return null;
  } catch (error) {
    if (!(error instanceof DamagedRecord)) throw error;
    return error.message;
  }
}

async function cleanLoose(
  store: ObjectStore,
  kind: LooseKind,
  ageMs: number,
  count: Count,
  { remove, now, onRemoved = () => {}, signal }: StoreCleaning,
): Promise<void> {
  await inParallel(
    store.list(prefixOf(kind)),
    async (object) => {
      if (!isOwn(kind, object.name) || now - object.writtenAt <= ageMs) return;
      await orKept(count, async () => {
        if (remove && !(await store.removeVersion(object))) return;
        countGone(count, object);
        onRemoved();
      });
    },
    signal,
  );
}

/**
 * Lists objects first, reads batches afterwards, and removes an object only if it was not used since it was listed. A
 * batch plans an object before it looks for it, so either its plan or its use is seen.
 */
async function cleanObjects(
  store: ObjectStore,
  needed: NeededObjects,
  count: Count,
  { remove, objectsUnusedForMs, now, onRemoved = () => {}, signal }: StoreCleaning,
): Promise<void> {
  await needed.refresh();
  const sweep = async (objects: readonly ListedObject[]): Promise<void> => {
    if (objects.length === 0) return;
    await needed.refresh();
    const sweepOne = (object: ListedObject): Promise<void> =>
      orKept(count, async () => {
        if (needed.has(object.name)) return;
        if (remove && !(await store.removeVersion(object, object.uses))) return;
        countGone(count, object);
        onRemoved();
      });
    await inParallel(objects, sweepOne, signal);
  };
  let unneeded: ListedObject[] = [];
  for await (const object of store.list(prefixOf('objects'))) {
    if (signal?.aborted) return;
    if (!isOwn('objects', object.name) || needed.has(object.name)) continue;
    if (now - object.usedAt <= objectsUnusedForMs) continue;
    unneeded.push(object);
    if (unneeded.length < OBJECTS_AT_A_TIME) continue;
    await sweep(unneeded);
    unneeded = [];
  }
  await sweep(unneeded);
}
