import { UserError } from '../domain/user-error.ts';
import { batchHandle } from './batch-handle.ts';
import type { BatchClient } from './connect.ts';
import { describeBatch } from './list-batches.ts';

/**
 * Asks a batch to stop: running images stop within a step, the manifest is still written. Returns at once; `batchEnd` waits.
 *
 * @throws UserError where Temporal does not know the batch, or it has ended
 */
export async function cancelBatch(client: BatchClient, batch: string): Promise<void> {
  const { endedAt, state } = await describeBatch(client, batch);
  if (endedAt !== null) throw new UserError(`batch ${batch} cannot be cancelled: it has ended (${state})`);
  await batchHandle(client, batch).cancel();
}
