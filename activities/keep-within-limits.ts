import { activityInfo } from '@temporalio/activity';
import type { Shard } from '../catalog/shards.ts';
import { Turns } from '../domain/turns.ts';
import { checkAtMost } from '../records/at-most.ts';
import { amountOf, readLimits } from '../records/limits.ts';
import { PlannedPictures } from '../records/planned-pictures.ts';
import { previewOf } from '../records/preview.ts';
import { takeFromDay } from '../records/usage.ts';
import type { ObjectStore } from '../store/index.ts';
import type { BatchInput } from '../workflows/contract/batch.ts';

/**
 * Keeps a round within what its batch may come to at most, and takes what it has to render from the limits of its
 * store, where that has some. The day is the one on which the round was to be planned, whichever attempt succeeds.
 *
 * @throws LimitReached
 */
export async function keepWithinLimits(
  store: ObjectStore,
  { batch, round, source, bundle, atMost }: BatchInput,
  shards: readonly Shard[],
): Promise<void> {
  const limits = await readLimits(store);
  // What a retry renders was within it once.
  const own = source.kind === 'catalog' ? atMost : undefined;
  if (limits === null && own === undefined) return;
  const pictures = await picturesOf(shards);
  const missing = await pictures.missing(store);
  if (own !== undefined) checkAtMost(own, await previewOf(pictures, missing, store, bundle.digest));
  if (limits === null) return;
  const { workflowExecution, scheduledTimestampMs } = activityInfo();
  const taker = { batch, round, run: workflowExecution!.runId, at: new Date(scheduledTimestampMs) };
  await takeFromDay(store, limits, taker, amountOf(missing));
}

async function picturesOf(shards: readonly Shard[]): Promise<PlannedPictures> {
  const pictures = new PlannedPictures();
  const turns = new Turns();
  for (const { jobs } of shards) {
    for (const job of jobs) {
      pictures.add(job);
      await turns.after(1);
    }
  }
  return pictures;
}
