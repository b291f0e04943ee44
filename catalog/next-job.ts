import type { Rejected } from './decisions.ts';
import { seedOf } from './identity.ts';
import type { Job } from './job.ts';
import { type Failure, isReceipt, type Receipt } from './receipt.ts';
import { renderKey } from './render-key.ts';

/** What people changed before a retry: rows of a corrected catalog, by id, and pictures that they do not want. */
export type Revisions = { corrected: ReadonlyMap<string, Job>; rejected: Rejected };

/**
 * The job that a retry makes of one of the batch's rows: as the corrected catalog has it, else as before; with a new seed where
 * it would give the rejected picture again. `null` where the row has an image that nobody rejected.
 */
export function nextJob(
  job: Job,
  outcome: Receipt | Failure | undefined,
  { corrected, rejected }: Revisions,
  key: { bundleDigest: string; pipelineVersion: number },
): Job | null {
  if (isReceipt(outcome) && rejected.get(job.id) !== outcome.renderKey) return null;
  const revised = corrected.get(job.id) ?? job;
  if (!isReceipt(outcome) || revised.renderKey !== outcome.renderKey) return revised;
  // From the rejected picture's key: another one each time, and the same one whenever the retry is planned again.
  const reseeded = { ...revised, seed: seedOf(outcome.renderKey) };
  return { ...reseeded, renderKey: renderKey(reseeded, key.bundleDigest, key.pipelineVersion) };
}
