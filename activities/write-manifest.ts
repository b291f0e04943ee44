import { setImmediate } from 'node:timers/promises';
import type { Job } from '../domain/job.ts';
import {
  extraComputations,
  type Failure,
  isReceipt,
  type JobOutcome,
  type Manifest,
  type Totals,
} from '../domain/receipt.ts';
import { keepLatestBatch } from '../records/latest-batch.ts';
import { manifestName, manifestTableName, ratesName, shardName, shardReceiptsName } from '../records/layout.ts';
import { type ManifestRow, manifestCsv, manifestJsonl, manifestRow } from '../records/manifest-table.ts';
import { batchOutcomes, encodeOutcomes, readJobs } from '../records/pieces.ts';
import { updatedRates } from '../records/rates.ts';
import { readRates } from '../records/read-rates.ts';
import { ObjectNotFound, type ObjectStore } from '../store/index.ts';
import type { WriteManifestInput, WrittenManifest } from '../workflows/contract/activities.ts';
import type { LostShard } from '../workflows/contract/plan.ts';
import type { OpenStore } from './dependencies.ts';

/** The activity that writes what all rounds of a batch made so far into its manifest, in the plan's order, and into tables. */
export function createWriteManifest(openStore: OpenStore) {
  return async function writeManifest(input: WriteManifestInput): Promise<WrittenManifest> {
    const store = await openStore(input.store);
    const totals: Totals = { jobs: 0, rendered: 0, reused: 0, failed: 0, cancelled: 0, extraComputations: 0 };
    const images: string[] = [];
    const failures: string[] = [];
    for (const lost of input.lostShards) {
      const unplanned = await settleLostShard(store, input, lost);
      if (unplanned === null) continue;
      count(totals, unplanned);
      failures.push(JSON.stringify({ ...unplanned, prompt: '', metadata: {} }));
    }
    const rows: ManifestRow[] = [];
    for await (const { job, outcome } of batchOutcomes(store, input.batch)) {
      count(totals, outcome);
      rows.push(manifestRow(job, outcome));
      if (outcome !== undefined) (isReceipt(outcome) ? images : failures).push(entry(job, outcome));
    }
    const manifest = manifestName(input.batch);
    await store.replace(manifest, assemble(input, totals, images, failures), 'application/json');
    await writeTables(store, input.batch, rows);
    await keepRates(store, input.bundle.digest, rows);
    // A retry, perhaps of a night long past, is no later batch.
    if (input.round === 1 && input.catalog !== undefined) await keepLatestBatch(store, input.catalog, input.batch);
    return { manifest, totals };
  };
}

async function writeTables(store: ObjectStore, batch: string, rows: ManifestRow[]): Promise<void> {
  const write = async (format: 'jsonl' | 'csv', pieces: Iterable<Uint8Array>, type: string) =>
    store.replace(manifestTableName(batch, format), await gathered(pieces), type);
  await write('jsonl', manifestJsonl(rows), 'application/x-ndjson');
  await write('csv', manifestCsv(rows), 'text/csv; charset=utf-8');
}

/** The event loop has a turn after each piece, for the heartbeat. */
async function gathered(pieces: Iterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for (const piece of pieces) {
    all.push(piece);
    await setImmediate();
  }
  return Buffer.concat(all);
}

/** Of two batches that end at once the later one's rates are kept; they are as good. */
async function keepRates(store: ObjectStore, bundle: string, rows: ManifestRow[]): Promise<void> {
  const rates = updatedRates(await readRates(store, bundle), bundle, rows);
  if (rates === null) return;
  await store.replace(ratesName(bundle), Buffer.from(`${JSON.stringify(rates)}\n`), 'application/json');
}

/**
 * A shard that was terminated wrote no receipts: its jobs are failures, so that they are listed and a retry finds them. Where
 * its plan is gone from the store nobody knows them any more, and one failure is returned that stands for all.
 */
async function settleLostShard(
  store: ObjectStore,
  { batch, round }: WriteManifestInput,
  { shard, reason }: LostShard,
): Promise<Failure | null> {
  const plan = shardName(batch, round, shard);
  const jobs = await readJobs(store, plan).catch((error: unknown) => {
    if (error instanceof ObjectNotFound) return null;
    throw error;
  });
  if (jobs === null) return planLost(`shard-${round}-${shard}`, plan, reason);
  const outcomes = jobs.map(({ id }) => ({ id, type: 'ShardLost', reason, attempts: 0 }));
  await store.create(shardReceiptsName(batch, round, shard), encodeOutcomes(outcomes), 'application/x-ndjson');
  return null;
}

const planLost = (id: string, plan: string, reason: string): Failure => ({
  id,
  type: 'ShardLost',
  reason: `${reason}. Its plan ${plan} is gone from the store, so its jobs cannot be listed or retried: submit the catalog as another batch`,
  attempts: 0,
});

function count(totals: Totals, outcome: JobOutcome | undefined): void {
  totals.jobs += 1;
  if (outcome === undefined) totals.cancelled += 1;
  else if (!isReceipt(outcome)) totals.failed += 1;
  else {
    totals[outcome.outcome] += 1;
    totals.extraComputations += extraComputations(outcome);
  }
}

const entry = (job: Job, outcome: JobOutcome): string =>
  JSON.stringify({ ...outcome, prompt: job.prompt, metadata: job.metadata });

/** An image a line, so that a person can read it and `grep` it, and so that no string has to hold a whole night. */
function assemble(input: WriteManifestInput, totals: Totals, images: string[], failures: string[]): Uint8Array {
  const { batch, round, state, bundle, startedAt } = input;
  const finishedAt = new Date().toISOString();
  const head: Omit<Manifest, 'images' | 'failures'> = {
    format: 1,
    batch,
    round,
    state,
    bundle,
    startedAt,
    finishedAt,
    totals,
  };
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(head).slice(0, -1)},\n`),
    ...list('images', images),
    Buffer.from(',\n'),
    ...list('failures', failures),
    Buffer.from('}\n'),
  ]);
}

function* list(name: string, entries: string[]): Generator<Uint8Array> {
  yield Buffer.from(`"${name}":[`);
  for (const [index, line] of entries.entries()) yield Buffer.from(`${index === 0 ? '\n' : ',\n'}${line}`);
  yield Buffer.from(']');
}
