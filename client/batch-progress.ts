import { isGrpcServiceError } from '@temporalio/client';
import { UserError } from '../catalog/user-error.ts';
import { type BatchProgress, PROGRESS_QUERY } from '../workflows/contract.ts';
import { aboutBatch, batchHandle } from './batch-handle.ts';
import { type BatchClient, GRPC } from './connect.ts';

/** The batch is known, but no process that runs workflows is there to answer for it. */
export class NoOrchestrator extends UserError {
  constructor(batch: string) {
    super(
      `batch ${batch}: no orchestrator answers for it. Start one with "npx pixart-batch worker"; the batch waits for it`,
    );
  }
}

/**
 * Asks a batch how far it is; a finished one answers too.
 *
 * @throws UserError where Temporal does not know the batch
 * @throws NoOrchestrator
 */
export function batchProgress(client: BatchClient, batch: string): Promise<BatchProgress> {
  return aboutBatch(client, batch, async () => {
    try {
      return await batchHandle(client, batch).query<BatchProgress, []>(PROGRESS_QUERY);
    } catch (error) {
      throw isUnanswered(error) ? new NoOrchestrator(batch) : error;
    }
  });
}

/** The server refuses a query at once where it has seen no worker for minutes, and gives up on it after ten seconds otherwise. */
function isUnanswered(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return (
    isGrpcServiceError(cause) && (cause.code === GRPC.DEADLINE_EXCEEDED || cause.code === GRPC.FAILED_PRECONDITION)
  );
}
