import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { onTestFinished } from 'vitest';
import type { RenderProgress } from '../../activities/heartbeats.ts';
import type { Job, Picture } from '../../domain/job.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { renderKey } from '../../domain/render-key.ts';
import { PIPELINE_VERSION } from '../../models/pixart/index.ts';
import { shardName } from '../../records/layout.ts';
import { encodeJobs } from '../../records/plan-and-receipts.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import type { RenderActivities } from '../../workflows/contract/activities.ts';
import '../quiet-runtime.ts';

export const BATCH = 'night';

/** A store in a folder of its own, gone when the test ends. */
export async function folderStore(): Promise<ObjectStore> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-store-'));
  // Captions may still be on their way into it.
  onTestFinished(() => rm(folder, { recursive: true, maxRetries: 5 }));
  return openStore(pathToFileURL(folder).href);
}

/** A job that a tiny bundle renders in a moment. */
export function tinyJob(bundleDigest: string, changes: Partial<Picture & { id: string }> = {}): Job {
  const { id = 'fox', ...others } = changes;
  const picture: Picture = {
    prompt: 'a red fox in the snow, 红狐狸 🦊',
    negativePrompt: 'blurred',
    size: '256',
    bin: { height: 256, width: 256 },
    width: 256,
    height: 256,
    seed: 7,
    steps: 4,
    guidance: 4.5,
    format: 'png',
    quality: null,
    ...others,
  };
  const key = renderKey(picture, bundleDigest, PIPELINE_VERSION);
  return { ...picture, id, priority: 3, renderKey: key, line: 2, metadata: {} };
}

/** Writes a plan of one shard; returns its name. */
export async function planOf(store: ObjectStore, jobs: Job[], shard = 0): Promise<string> {
  const name = shardName(BATCH, 1, shard);
  await store.create(name, await encodeJobs(jobs), 'application/jsonl');
  return name;
}

export type Attempt = {
  receipt: Promise<Receipt>;
  environment: MockActivityEnvironment;
  heartbeats: RenderProgress[];
};

/** Starts one attempt of the activity on one job of a shard. */
export function attempt(
  renderImage: RenderActivities['renderImage'],
  job: { store: ObjectStore; shard: string; index?: number; bundleDigest: string; batch?: string },
  info: Partial<Info> = {},
): Attempt {
  const environment = new MockActivityEnvironment(info);
  const heartbeats: RenderProgress[] = [];
  environment.on('heartbeat', (progress: RenderProgress) => heartbeats.push(progress));
  const { store, index = 0, batch = BATCH, shard, bundleDigest } = job;
  const receipt: Promise<Receipt> = environment.run(renderImage, {
    store: store.url,
    batch,
    round: 1,
    shard,
    index,
    bundleDigest,
  });
  receipt.catch(() => {});
  return { receipt, environment, heartbeats };
}
