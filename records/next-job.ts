import type { Job } from '../domain/job.ts';
import { type Failure, isReceipt, type Receipt } from '../domain/receipt.ts';
import { renderKey } from '../domain/render-key.ts';
import { seedOf } from '../domain/seed.ts';
import type { Rejected } from './decisions.ts';

/** What people changed before a retry: rows of a corrected catalog, by id, and pictures that they rejected. */
export type Revisions = { corrected: ReadonlyMap<string, Job>; rejected: Rejected };

const CHOSEN_SEED = 'choice:seed';

/** What render keys are computed from now, besides the job. */
type KeyBasis = { bundleDigest: string; pipelineVersion: number };

/**
 * The job that a retry runs for one of the batch's rows: as in the corrected catalog, else as before, with a new seed
 * if it would give a picture that the row has had before. Its copy keeps its name, even if a template would choose
 * another now. `null` if the row has an image that nobody rejected.
 *
 * @param earlier the jobs planned for the row before `job`
 */
export function nextJob(
  job: Job,
  outcome: Receipt | Failure | undefined,
  earlier: readonly Job[],
  { corrected, rejected }: Revisions,
  basis: KeyBasis,
): Job | null {
  if (isReceipt(outcome) && !rejected.get(job.id)?.has(outcome.renderKey)) return null;
  const revised = namedAs(job, corrected.get(job.id) ?? keyedNow(job, basis));
  return isReceipt(outcome) ? unlike([...earlier, job], revised, basis) : revised;
}

const namedAs = ({ copyAs }: Job, job: Job): Job => (copyAs === undefined ? job : { ...job, copyAs });

/** A new version of the pipeline gives the picture another key. */
function keyedNow(job: Job, { bundleDigest, pipelineVersion }: KeyBasis): Job {
  const now = renderKey(job, bundleDigest, pipelineVersion);
  return now === job.renderKey ? job : { ...job, renderKey: now };
}

/** Also updates the seed noted as the choice from a grid, if there is one. */
function withSeed(job: Job, seed: number): Job {
  const { [CHOSEN_SEED]: chosen, ...metadata } = job.metadata;
  return { ...job, seed, metadata: chosen === undefined ? job.metadata : { ...metadata, [CHOSEN_SEED]: String(seed) } };
}

/**
 * The job with the first seed that gives none of these pictures, now or with the version that made them. Each seed
 * follows from the key before.
 */
function unlike(pictures: readonly Job[], job: Job, { bundleDigest, pipelineVersion }: KeyBasis): Job {
  const keyOf = (picture: Job): string => renderKey(picture, bundleDigest, pipelineVersion);
  const taken = new Set(pictures.flatMap((picture) => [picture.renderKey, keyOf(picture)]));
  let next = { ...job, renderKey: keyOf(job) };
  while (taken.has(next.renderKey)) {
    const reseeded = withSeed(next, seedOf(next.renderKey));
    next = { ...reseeded, renderKey: keyOf(reseeded) };
  }
  return next;
}
