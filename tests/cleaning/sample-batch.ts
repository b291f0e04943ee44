import { createWriteManifest } from '../../activities/write-manifest.ts';
import { createWriteReceipts } from '../../activities/write-receipts.ts';
import { sha256 } from '../../domain/digest.ts';
import type { Job } from '../../domain/job.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { putPicture } from '../../pictures/picture-place.ts';
import { copyName, objectName, shardName } from '../../records/layout.ts';
import { encodeJobs } from '../../records/plan-and-receipts.ts';
import { keepRound } from '../../records/rounds.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { tinyJob } from '../activities/rendering.ts';

export const DAY_MS = 86_400_000;

const BUNDLE = { name: 'tiny', digest: sha256('bundle') };

const writeReceipts = createWriteReceipts(openStore);
const writeManifest = createWriteManifest(openStore);

/** A job for a picture with a name. */
export const jobOf = (picture: string): Job => tinyJob(BUNDLE.digest, { id: picture, prompt: picture });

export const objectOf = (picture: string): string => objectName(jobOf(picture).renderKey, 'png');

export async function plan(store: ObjectStore, batch: string, pictures: readonly string[]): Promise<void> {
  await store.create(shardName(batch, 1, 0), await encodeJobs(pictures.map(jobOf)), 'application/x-ndjson');
}

/** Finds or creates the picture's object, and gives the batch its copy, as workers do. */
export async function makeImage(store: ObjectStore, batch: string, picture: string): Promise<Receipt> {
  const job = jobOf(picture);
  const found = await store.find(objectOf(picture));
  const object = found ?? (await putPicture(store, job, Buffer.from(`picture ${picture}`), null))!;
  const copy = copyName(batch, { id: picture, format: 'png' });
  await object.copy(copy);
  return {
    ...{ id: picture, renderKey: job.renderKey, object: object.name, copy },
    ...{ bytes: object.bytes, crc32c: object.crc32c, width: 256, height: 256 },
    ...{ outcome: found === null ? 'rendered' : 'reused', computations: 1, timings },
  };
}

export const timings = { waitMs: 1, textEncodeMs: 1, denoiseMs: 1, decodeMs: 1, imageEncodeMs: 1, storeMs: 1 };

/** A finished batch, with everything that a store keeps of one. Its pictures are arbitrary bytes. */
export async function sampleBatch(
  store: ObjectStore,
  batch: string,
  pictures: readonly string[],
  { catalog = 'file:///catalog.csv', hasEnded = true } = {},
): Promise<void> {
  await plan(store, batch, pictures);
  const settings = {
    catalog,
    bundle: { ...BUNDLE, sizes: ['256' as const], defaults: { steps: 4, guidance: 4.5 } },
    defaults: { size: '256' as const, format: 'png' as const, quality: null },
    window: 4,
  };
  await keepRound(store, { batch, round: 1, settings, hasWebhook: false });
  const receipts: Receipt[] = [];
  for (const picture of pictures) receipts.push(await makeImage(store, batch, picture));
  const round = { store: store.url, batch, round: 1 };
  await writeReceipts({ ...round, shard: 0, outcomes: receipts });
  if (!hasEnded) return;
  const startedAt = new Date(0).toISOString();
  await writeManifest({ ...round, bundle: BUNDLE, state: 'completed', startedAt, lostShards: [] });
}

export async function names(store: ObjectStore, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of store.list(prefix)) found.push(name);
  return found;
}
