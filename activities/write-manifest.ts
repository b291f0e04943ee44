import { cellsOf } from '../domain/job.ts';
import { extraComputations, type Failure, isReceipt, type JobOutcome, type Totals } from '../domain/receipt.ts';
import { gathered, Turns } from '../domain/turns.ts';
import { CarriedNames } from '../records/carried-names.ts';
import {
  latestBatchName,
  type ManifestFormat,
  manifestName,
  planFolder,
  ratesName,
  shardName,
  shardReceiptsName,
} from '../records/layout.ts';
import { manifestEntry, manifestPieces } from '../records/manifest.ts';
import { keepRoundManifest, MANIFEST_TYPES } from '../records/manifest-files.ts';
import { type ManifestRow, manifestCsv, manifestJsonl, manifestRow, noteNames } from '../records/manifest-table.ts';
import { batchOutcomes, decodeJobs, encodeOutcomes } from '../records/plan-and-receipts.ts';
import { keepLatestBatch } from '../records/previous-batch.ts';
import { keepRates, Measured } from '../records/rates.ts';
import { type ObjectStore, type OpenStore, readIfThere, StoreUnavailable, shownPlace } from '../store/index.ts';
import type { WriteManifestInput, WrittenManifest } from '../workflows/contract/activities.ts';
import type { LostShard } from '../workflows/contract/plan.ts';
import { Conveniences } from './conveniences.ts';

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
      failures.push(manifestEntry(unplanned, { prompt: '', metadata: {} }));
    }
    const rows: ManifestRow[] = [];
    const carried = new CarriedNames();
    const measured = new Measured();
    const turns = new Turns();
    for await (const { job, outcome } of batchOutcomes(store, input.batch)) {
      count(totals, outcome);
      const row = manifestRow(job, outcome);
      rows.push(row);
      measured.add(row);
      noteNames(job, carried);
      if (outcome !== undefined) (isReceipt(outcome) ? images : failures).push(manifestEntry(outcome, job));
      await turns.after(cellsOf(job));
    }
    if (totals.jobs === 0 && input.state === 'completed') throw planAway(store, input.batch);
    const { batch, round, state, bundle, startedAt } = input;
    const tables = { jsonl: await gathered(manifestJsonl(rows)), csv: await gathered(manifestCsv(rows, carried)) };
    const json = (finishedAt: string) =>
      gathered(manifestPieces({ batch, round, state, bundle, startedAt, finishedAt, totals }, images, failures));
    const { files, manifest } = await keepRoundManifest(store, input, { ...tables, json });
    const conveniences = new Conveniences();
    if (carried.leftOut > 0) conveniences.warn(leftOutText(carried));
    await writeConveniences(store, input, measured, { ...tables, json: manifest }, conveniences);
    return { manifest: files.json, totals, warnings: conveniences.warnings };
  };
}

/** Each row that was planned has an outcome or lies in the plan: the folder was moved, or another one is mounted in its place. */
const planAway = (store: ObjectStore, batch: string): StoreUnavailable =>
  new StoreUnavailable(
    `store ${shownPlace(store.url)}: the plan of batch ${batch} existed before and is missing now; restore ${planFolder(batch)}`,
  );

/** The round's own files say all that is to be said; these are found more easily, or are of use to the next batch. */
async function writeConveniences(
  store: ObjectStore,
  { batch, round, bundle, catalog }: WriteManifestInput,
  measured: Measured,
  newest: Record<ManifestFormat, Uint8Array>,
  conveniences: Conveniences,
): Promise<void> {
  for (const format of ['json', 'jsonl', 'csv'] as const) {
    const name = manifestName(batch, format);
    await conveniences.write(name, () => store.replace(name, newest[format], MANIFEST_TYPES[format]));
  }
  const { digest } = bundle;
  await conveniences.write(ratesName(digest), () => keepRates(store, digest, measured, conveniences.warn));
  // A retry, perhaps of a night long past, is no later batch.
  if (round === 1 && catalog !== undefined) {
    await conveniences.write(latestBatchName(catalog), () => keepLatestBatch(store, catalog, batch));
  }
}

const leftOutText = ({ names, leftOut }: CarriedNames): string =>
  `the batch carries over more than ${names.length} different columns: ${leftOut} cells are in the manifest's .json and .jsonl, not in its .csv`;

/**
 * A shard that was terminated wrote no receipts: its jobs are failures, so that they are listed and a retry finds them. Where
 * its plan is gone from the store, its jobs are unknown, and one failure stands for all of them.
 */
async function settleLostShard(
  store: ObjectStore,
  { batch, round }: WriteManifestInput,
  { shard, reason }: LostShard,
): Promise<Failure | null> {
  const plan = shardName(batch, round, shard);
  const found = await readIfThere(store, plan);
  if (found === null) return planLost(`shard-${round}-${shard}`, plan, reason);
  const outcomes = (await decodeJobs(found, store, plan)).map(({ id }) => ({
    id,
    type: 'ShardLost',
    reason,
    attempts: 0,
  }));
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
