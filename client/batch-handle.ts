import { WorkflowNotFoundError } from '@temporalio/client';
import { UserError } from '../catalog/user-error.ts';
import { batchWorkflowId } from '../workflows/contract.ts';
import type { BatchClient } from './connect.ts';

/** The handle of a batch's latest run. */
export const batchHandle = (client: BatchClient, batch: string) =>
  client.temporal.workflow.getHandle(batchWorkflowId(batch));

/** Runs a call about one batch. @throws UserError where Temporal does not know the batch */
export async function aboutBatch<T>(client: BatchClient, batch: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new UserError(
      `batch ${batch}: not known to the Temporal server at ${client.address} (namespace ${client.namespace}). ` +
        'List the batches that are, or look for its manifest in the store: Temporal forgets what is old.',
    );
  }
}
