import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { onTestFinished, vi } from 'vitest';
import { createPlanBatch } from '../../activities/plan-batch.ts';
import { createWriteManifest } from '../../activities/write-manifest.ts';
import { createWriteReceipts } from '../../activities/write-receipts.ts';
import type { Job } from '../../domain/job.ts';
import type { Failure, Receipt } from '../../domain/receipt.ts';
import { manifestName } from '../../records/layout.ts';
import { type Manifest, manifestSchema } from '../../records/manifest.ts';
import { openStore } from '../../store/index.ts';
import type { BatchInput } from '../../workflows/contract/batch.ts';
import { anywhere } from '../anywhere.ts';
import { BATCH } from './rendering.ts';

export const bundle = {
  name: 'tiny',
  digest: 'cd'.repeat(32),
  sizes: ['256' as const],
  defaults: { steps: 2, guidance: 4 },
};
export const planBatch = createPlanBatch(anywhere);
const writeReceipts = createWriteReceipts(openStore);
const writeManifest = createWriteManifest(openStore);

export const receipt = (job: Job, changes: Partial<Receipt> = {}): Receipt => ({
  id: job.id,
  renderKey: job.renderKey,
  object: `objects/${job.renderKey}.png`,
  copy: `batches/${BATCH}/${job.id}.png`,
  bytes: 10,
  crc32c: 'AAAAAA==',
  width: job.width,
  height: job.height,
  outcome: 'rendered',
  computations: 1,
  timings: { waitMs: 0, textEncodeMs: 0, denoiseMs: 0, decodeMs: 0, imageEncodeMs: 0, storeMs: 0 },
  ...changes,
});

export const failure = (id: string, reason: string): Failure => ({ id, type: 'UserError', reason, attempts: 1 });

/** Until the clock shows another instant. */
export async function later(): Promise<void> {
  const now = Date.now();
  await vi.waitUntil(() => Date.now() > now + 1);
}

/** A folder with a catalog of three rows and an empty store, and what the orchestrator writes there. */
export async function recordsScene() {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-records-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const store = await openStore(pathToFileURL(path.join(folder, 'out')).href);
  const catalog = path.join(folder, 'catalog.csv');
  await writeFile(catalog, 'id,prompt\nfox,a fox\nowl,an owl\nhen,a hen\n');

  const input = (): BatchInput => ({
    batch: BATCH,
    round: 1,
    store: store.url,
    source: { kind: 'catalog', url: pathToFileURL(catalog).href, format: 'csv', columns: {} },
    bundle,
    defaults: { size: '256', format: 'png', quality: null },
    window: 4,
  });

  const keep = (round: number, outcomes: (Receipt | Failure)[]): Promise<void> =>
    writeReceipts({ store: store.url, batch: BATCH, round, shard: 0, outcomes });

  function write(round: number, state: Manifest['state'], lostShards: { shard: number; reason: string }[] = []) {
    const { name, digest } = bundle;
    const written = { store: store.url, batch: BATCH, round, bundle: { name, digest }, state, lostShards };
    return writeManifest({ ...written, startedAt: new Date(0).toISOString() });
  }

  async function close(...round: Parameters<typeof write>) {
    await write(...round);
    return manifestSchema.parse(JSON.parse(Buffer.from(await store.read(manifestName(BATCH))).toString()));
  }

  return { folder, store, catalog, input, keep, write, close };
}
