import { defaultPayloadConverter } from '@temporalio/common';
import { UserError } from '../catalog/user-error.ts';
import { batchStart } from '../workflows/batch-start.ts';
import { type BatchInput, batchWorkflowId, ORCHESTRATOR_QUEUE } from '../workflows/contract.ts';
import type { renderBatch } from '../workflows/render-batch.ts';
import { aboutBatch } from './batch-handle.ts';
import { batchProgress } from './batch-progress.ts';
import type { BatchClient } from './connect.ts';
import { describeBatch } from './list-batches.ts';

/**
 * Starts another round of a batch that has ended: it renders the jobs that have no image, failed or never started.
 * Returns the round's number.
 *
 * @throws UserError where Temporal does not know the batch, it still runs, or no image is missing
 */
export async function retryBatch(client: BatchClient, batch: string): Promise<number> {
  const { endedAt } = await describeBatch(client, batch);
  if (endedAt === null) throw new UserError(`batch ${batch} cannot be retried: it still runs`);
  const { totals, round } = await batchProgress(client, batch);
  const isPlanned = totals.jobs > 0;
  if (!isPlanned && round === 1) throw new UserError(`batch ${batch} was never planned: submit its catalog again`);
  if (isPlanned && totals.failed + totals.cancelled === 0 && totals.rendered + totals.reused === totals.jobs) {
    throw new UserError(`batch ${batch} has nothing to retry: no image is missing`);
  }
  const before = await lastInput(client, batch);
  const { source } = before;
  const catalog = source.kind === 'catalog' ? source.url : source.catalog;
  const input: BatchInput = {
    ...before,
    round: before.round + 1,
    source: { kind: 'retry', ...(catalog !== undefined && { catalog }) },
  };
  await client.temporal.workflow.start<typeof renderBatch>('renderBatch', {
    ...batchStart(input),
    taskQueue: ORCHESTRATOR_QUEUE,
    workflowIdConflictPolicy: 'FAIL',
  });
  return input.round;
}

/** What the batch's last round was started with; the first event of its history has it. */
async function lastInput(client: BatchClient, batch: string): Promise<BatchInput> {
  const { history } = await aboutBatch(client, batch, () =>
    client.temporal.workflowService.getWorkflowExecutionHistory({
      namespace: client.namespace,
      execution: { workflowId: batchWorkflowId(batch) },
      maximumPageSize: 1,
    }),
  );
  const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  if (!payload) throw new Error(`batch ${batch}: expected its history to begin with its input`);
  return defaultPayloadConverter.fromPayload<BatchInput>(payload);
}
