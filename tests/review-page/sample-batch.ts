import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { Job } from '../../domain/job.ts';
import type { JobOutcome } from '../../domain/receipt.ts';
import { copyName, objectName, shardName, shardReceiptsName } from '../../records/layout.ts';
import { encodeJobs, encodeOutcomes } from '../../records/plan-and-receipts.ts';
import type { ObjectStore } from '../../store/index.ts';
import { sampleJob } from '../images/sample-job.ts';
import { copyObject } from '../store/copy-object.ts';

export type SampleRow = { job?: Partial<Job>; outcome?: 'rendered' | 'failed' | 'cancelled' };

/** Encoded pictures that are easy to tell apart. */
export const samplePictures = (count: number, side: number): Promise<Uint8Array[]> =>
  Promise.all(
    Array.from({ length: count }, (_, index) => {
      const hue = Math.round((index * 360) / count);
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" viewBox="0 0 64 64">
        <rect width="64" height="64" fill="hsl(${hue} 45% 75%)"/>
        <circle cx="32" cy="32" r="${12 + (index % 4) * 4}" fill="hsl(${(hue + 160) % 360} 60% 40%)"/></svg>`;
      return sharp(Buffer.from(svg)).png().toBuffer();
    }),
  );

/**
 * Writes the records of a finished batch as the workflow's activities do, and its images; rows may share a picture.
 *
 * @param picture index in `pictures` of a row's picture
 */
export async function writeSampleBatch(
  store: ObjectStore,
  batch: string,
  rows: SampleRow[],
  pictures: Uint8Array[],
  picture: (index: number) => number = (index) => index % pictures.length,
): Promise<Job[]> {
  const keys = pictures.map((file) => createHash('sha256').update(file).digest('hex'));
  for (const [index, file] of pictures.entries())
    await store.create(objectName(keys[index]!, 'png'), file, 'image/png');
  const jobs: Job[] = [];
  const outcomes: JobOutcome[] = [];
  for (const [index, { job: changes = {}, outcome = 'rendered' }] of rows.entries()) {
    const renderKey = keys[picture(index)]!;
    const job = {
      ...sampleJob,
      id: `row-${index}`,
      line: index + 2,
      renderKey,
      format: 'png',
      quality: null,
      ...changes,
    } as Job;
    jobs.push(job);
    if (outcome === 'rendered') {
      await copyObject(store, objectName(renderKey, 'png'), copyName(batch, job));
      outcomes.push(receiptOf(batch, job));
    } else if (outcome === 'failed') {
      outcomes.push({
        id: job.id,
        type: 'UserError',
        reason: 'The prompt has 412 tokens, at most 300 fit.',
        attempts: 1,
      });
    }
  }
  await store.create(shardName(batch, 1, 0), await encodeJobs(jobs), 'application/x-ndjson');
  await store.create(shardReceiptsName(batch, 1, 0), encodeOutcomes(outcomes), 'application/x-ndjson');
  return jobs;
}

export const receiptOf = (batch: string, job: Job): JobOutcome => ({
  id: job.id,
  renderKey: job.renderKey,
  object: objectName(job.renderKey, 'png'),
  copy: copyName(batch, job),
  bytes: 1_000,
  crc32c: 'AAAAAA==',
  width: job.width,
  height: job.height,
  outcome: 'rendered',
  computations: 1,
  timings: { waitMs: 0, textEncodeMs: 0, denoiseMs: 0, decodeMs: 0, imageEncodeMs: 0, storeMs: 0 },
});
