import { amountOf, checkLimits, dayOf, type LimitUse, limitUses, readLimits, resetOf } from '../records/limits.ts';
import type { PlannedPictures } from '../records/planned-pictures.ts';
import { usedOn } from '../records/usage.ts';
import type { ObjectStore } from '../store/index.ts';

/** What is left of a store's limits today. */
export type LimitsToday = {
  uses: LimitUse[];
  /** When today's use stops counting: midnight UTC. */
  resetsAt: Date;
};

/** `null` if the store has no limits. */
export async function limitsToday(store: ObjectStore): Promise<LimitsToday | null> {
  const limits = await readLimits(store);
  if (limits === null) return null;
  const day = dayOf(new Date());
  return { uses: limitUses(limits, await usedOn(store, day)), resetsAt: resetOf(day) };
}

/**
 * Refuses what the batch itself would refuse a moment later. It reserves nothing, so two simultaneous batches may both pass.
 *
 * @throws LimitReached
 */
export async function checkLeftToday(store: ObjectStore, pictures: PlannedPictures): Promise<void> {
  const limits = await readLimits(store);
  if (limits === null) return;
  const day = dayOf(new Date());
  checkLimits(store, limits, day, await usedOn(store, day), amountOf(await pictures.missing(store)));
}
