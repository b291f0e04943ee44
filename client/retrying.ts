import { type BatchAnswer, PROGRESS_QUERY } from '../workflows/contract.ts';
import { batchHandle } from './batch-handle.ts';
import type { BatchClient } from './connect.ts';

/** Images whose last attempt failed with this reason, and which are tried again. */
export type Retrying = { images: number; attempts: number; reason: string };

/**
 * What a running batch is held up by, as its shards' pending activities tell: the reasons, each with its number of images and
 * the most attempts that one of them has had. Nothing for a batch that has ended, or that nobody answers for.
 */
export async function retrying(client: BatchClient, batch: string): Promise<Retrying[]> {
  const handle = batchHandle(client, batch);
  const answer = await handle.query<BatchAnswer, []>(PROGRESS_QUERY).catch(() => null);
  const byReason = new Map<string, Retrying>();
  for (const { workflowId } of answer?.running ?? []) {
    const { raw } = await client.temporal.workflow.getHandle(workflowId).describe();
    for (const { attempt, lastFailure } of raw.pendingActivities ?? []) {
      const reason = lastFailure?.message;
      if (!reason || !attempt) continue;
      const before = byReason.get(reason) ?? { images: 0, attempts: 0, reason };
      byReason.set(reason, { images: before.images + 1, attempts: Math.max(before.attempts, attempt - 1), reason });
    }
  }
  return [...byReason.values()].toSorted((a, b) => b.images - a.images);
}
