import { inParallel } from '../../cleaning/in-parallel.ts';
import { batchEnd, reviewPageEnd } from '../../client/index.ts';
import { putPicture } from '../../pictures/picture-place.ts';
import { copyName, shardName } from '../../records/layout.ts';
import { encodeJobs } from '../../records/plan-and-receipts.ts';
import type { ObjectStore } from '../../store/index.ts';
import type { CleanedSite } from './cleaned-site.ts';
import { jobOf, sampleBatch } from './sample-batch.ts';

const SHARD = 500;

/** The prompt of a picture that was rendered long ago. */
export const oldPrompt = (n: number): string => `fox number ${n}`;

/**
 * Creates batches that ended long ago: one with pictures rendered in the usual way, and one with placeholders that nobody rendered.
 *
 * @param bulk the placeholders
 * @param rendered how many pictures the other batch has
 */
export async function oldNights(site: CleanedSite, bulk: readonly string[], rendered: number): Promise<void> {
  await site.submit(
    'old-shared',
    Array.from({ length: rendered }, (_, n) => oldPrompt(n)),
  );
  const end = await batchEnd(site.client, 'old-shared');
  if (end.state !== 'completed') throw new Error(`expected an old night, found ${JSON.stringify(end)}`);
  await oldNight(site.direct, bulk);
  // A page written later would make the batch young again.
  await reviewPageEnd(site.client, end.result);
  await site.age();
}

/** Only its plan lists most of its images, which is the quickest way to create them. */
async function oldNight(store: ObjectStore, pictures: readonly string[]): Promise<void> {
  await sampleBatch(store, 'old-night', pictures.slice(0, 10));
  const rest = pictures.slice(10);
  for (let at = 0; at < rest.length; at += SHARD) {
    const jobs = rest.slice(at, at + SHARD).map(jobOf);
    await store.create(shardName('old-night', 1, 1 + at / SHARD), await encodeJobs(jobs), 'application/x-ndjson');
  }
  await inParallel(rest, async (picture) => {
    const object = await putPicture(store, jobOf(picture), Buffer.from(`picture ${picture}`), null);
    await object!.copy(copyName('old-night', { id: picture, format: 'png' }));
  });
}
