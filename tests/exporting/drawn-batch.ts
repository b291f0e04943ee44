import { createHash } from 'node:crypto';
import { createWriteManifest } from '../../activities/write-manifest.ts';
import { createWriteReceipts } from '../../activities/write-receipts.ts';
import type { PictureSigner } from '../../credentials/picture-signer.ts';
import type { Job } from '../../domain/job.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { encodeImage, type Pixels } from '../../images/index.ts';
import { putPicture } from '../../pictures/picture-place.ts';
import { copyName, shardName } from '../../records/layout.ts';
import { encodeJobs } from '../../records/plan-and-receipts.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { tinyJob } from '../activities/rendering.ts';

export const SHIPPED = { name: 'pixart-icons', digest: createHash('sha256').update('icons').digest('hex') };

/** A picture of a batch, drawn without a model. */
export type Drawn = { id: string; pixels: Pixels; changes?: Partial<Job> };

/** A finished batch with these pictures, as workers leave it; `sign` signs the batch's copies. */
export async function drawnBatch(
  store: ObjectStore,
  batch: string,
  drawn: readonly Drawn[],
  { bundle = SHIPPED, sign }: { bundle?: typeof SHIPPED; sign?: PictureSigner } = {},
): Promise<Job[]> {
  const jobs = drawn.map(({ id, pixels: { width, height }, changes }): Job => {
    const { metadata = {}, ...picture } = changes ?? {};
    return { ...tinyJob(bundle.digest, { id, width, height, ...picture }), metadata };
  });
  await store.create(shardName(batch, 1, 0), await encodeJobs(jobs), 'application/x-ndjson');
  const outcomes: Receipt[] = [];
  for (const [place, job] of jobs.entries()) {
    const { id, renderKey, width, height, format } = job;
    const data = await encodeImage(drawn[place]!.pixels, { job, bundle });
    const object = (await store.find(`objects/${renderKey}.${format}`)) ?? (await putPicture(store, job, data, null))!;
    const { bytes, crc32c } = object;
    const copy = copyName(batch, job);
    const signed = sign && (await sign.sign(data, { ...job, sign: 'without-prompt' }, object));
    const own = signed && (await store.create(copy, signed, `image/${format}`)).stat;
    if (own === undefined) await object.copy(copy);
    outcomes.push({
      ...{ id, renderKey, object: object.name, copy, bytes, crc32c, width, height, outcome: 'rendered' },
      ...(own !== undefined && { signed: { bytes: own.bytes, crc32c: own.crc32c } }),
      ...{
        computations: 1,
        timings: { waitMs: 1, textEncodeMs: 1, denoiseMs: 1_000, decodeMs: 1, imageEncodeMs: 1, storeMs: 1 },
      },
    });
  }
  const round = { store: store.url, batch, round: 1 };
  await createWriteReceipts(openStore)({ ...round, shard: 0, outcomes });
  await endBatch(store, batch, bundle);
  return jobs;
}

/** Writes the manifest of a batch whose rows are all done. */
export async function endBatch(store: ObjectStore, batch: string, bundle = SHIPPED): Promise<void> {
  const round = { store: store.url, batch, round: 1, startedAt: new Date(0).toISOString() };
  await createWriteManifest(openStore)({ ...round, bundle, state: 'completed', lostShards: [] });
}
