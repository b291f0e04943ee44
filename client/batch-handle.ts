import { isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { UserError } from '../domain/user-error.ts';
import { batchWorkflowId } from '../workflows/contract/queues.ts';
import { type BatchClient, GRPC } from './connect.ts';

/** The server does not answer, or not any more: it is being restarted, or the way to it is broken. */
export class ServerUnreachable extends UserError {}

/** The handle of a batch's latest run. */
export const batchHandle = (client: BatchClient, batch: string) =>
  client.temporal.workflow.getHandle(batchWorkflowId(batch));

/**
 * Runs a call about one batch.
 *
 * @throws UserError where Temporal does not know the batch
 * @throws ServerUnreachable
 */
export async function aboutBatch<T>(client: BatchClient, batch: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isUnreachable(error)) throw new ServerUnreachable(`the Temporal server at ${client.address} does not answer`);
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new UserError(
      `batch ${batch}: not known to the Temporal server at ${client.address} (namespace ${client.namespace}). ` +
        'List the batches that are, or look for its manifest in the store: Temporal forgets what is old.',
    );
  }
}

function isUnreachable(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return isGrpcServiceError(cause) && cause.code === GRPC.UNAVAILABLE;
}
