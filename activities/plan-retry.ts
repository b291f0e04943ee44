import { catalogJobs } from '../catalog/plan-catalog.ts';
import { cutShards, type Shard } from '../catalog/shards.ts';
import { cellsOf, type Job } from '../domain/job.ts';
import { extraComputations, isReceipt } from '../domain/receipt.ts';
import { Turns } from '../domain/turns.ts';
import { PIPELINE_VERSION } from '../models/pixart/pipeline-version.ts';
import { NOTHING_REJECTED, readDecisions } from '../records/decisions.ts';
import { nextJob, type Revisions } from '../records/next-job.ts';
import { batchOutcomes } from '../records/plan-and-receipts.ts';
import { readRevision } from '../records/read-revision.ts';
import type { ObjectStore, Sources } from '../store/index.ts';
import type { BatchInput, CatalogSource } from '../workflows/contract/batch.ts';
import type { Plan } from '../workflows/contract/plan.ts';
import { planOptions } from './read-catalog.ts';

/**
 * The jobs of the batch that have no image yet (failed, cancelled or lost), a rejected one or one that is gone, and a
 * count of the others.
 */
export async function planRetry(
  store: ObjectStore,
  input: BatchInput,
  source: Extract<CatalogSource, { kind: 'retry' }>,
  sources: Sources,
): Promise<{ shards: Shard[]; carried: string[]; made: NonNullable<Plan['made']> }> {
  const revisions = await readRevisions(store, input, source, sources);
  const basis = { bundleDigest: input.bundle.digest, pipelineVersion: PIPELINE_VERSION };
  const again = source.again === undefined ? new Set() : await readIds(store, source.again);
  const gaps: Job[] = [];
  const carried = new Set<string>();
  const turns = new Turns();
  const made: NonNullable<Plan['made']> = {};
  // Not this round's own pieces: an earlier attempt at planning may have written some.
  for await (const { job, outcome, earlier } of batchOutcomes(store, input.batch, input.round)) {
    const next = nextJob(job, again.has(job.id) ? undefined : outcome, earlier, revisions, basis);
    if (next !== null) {
      gaps.push(next);
      for (const name of Object.keys(next.metadata)) carried.add(name);
    }
    await turns.after(cellsOf(job));
    if (next !== null || !isReceipt(outcome)) continue;
    const ofSize = made[job.size] ?? { rendered: 0, reused: 0, extraComputations: 0 };
    ofSize[outcome.outcome] += 1;
    ofSize.extraComputations += extraComputations(outcome);
    made[job.size] = ofSize;
  }
  return { shards: await cutShards(gaps), carried: [...carried], made };
}

/** One a line. */
async function readIds(store: ObjectStore, name: string): Promise<Set<string>> {
  const text = Buffer.from(await readRevision(store, name)).toString('utf8');
  return new Set(text.split('\n').filter((id) => id !== ''));
}

async function readRevisions(
  store: ObjectStore,
  input: BatchInput,
  { corrected, decisions }: Extract<CatalogSource, { kind: 'retry' }>,
  sources: Sources,
): Promise<Revisions> {
  const rows = new Map<string, Job>();
  if (corrected !== undefined) {
    const options = planOptions(store, input, { ...corrected, file: corrected.name }, sources);
    for await (const job of catalogJobs([await readRevision(store, corrected.name)], options)) rows.set(job.id, job);
  }
  const rejected =
    decisions === undefined ? NOTHING_REJECTED : await readDecisions(await readRevision(store, decisions), decisions);
  return { corrected: rows, rejected };
}
