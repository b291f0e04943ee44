import { amountOf, checkLimits, dayOf, type LimitUse, limitUses, readLimits, resetOf } from '../records/limits.ts';
import type { PlannedPictures } from '../records/planned-pictures.ts';
import { usedOn } from '../records/usage.ts';
import type { ObjectStore } from '../store/index.ts';

/** What is left today of a store's limits. */
export type LimitsToday = {
  uses: LimitUse[];
  /** When what was used today counts no more: midnight UTC. */
  resetsAt: Date;
};

/** `null` where the store has no limits. */
export async function limitsToday(store: ObjectStore): Promise<LimitsToday | null> {
  const limits = await readLimits(store);
  if (limits === null) return null;
  const day = dayOf(new Date());
  return { uses: limitUses(limits, await usedOn(store, day)), resetsAt: resetOf(day) };
}

/**
 * Refuses what the batch itself would refuse a moment later. Nothing is taken: of two batches that ask at the same moment both may pass here.
 *
 * @throws LimitReached
 */
export async function checkLeftToday(store: ObjectStore, pictures: PlannedPictures): Promise<void> {
  const limits = await readLimits(store);
  if (limits === null) return;
  const day = dayOf(new Date());
  checkLimits(store, limits, day, await usedOn(store, day), amountOf(await pictures.missing(store)));
}
