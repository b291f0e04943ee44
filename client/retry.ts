import { defaultPayloadConverter } from '@temporalio/common';
import { UserError } from '../domain/user-error.ts';
import type { BatchInput, CatalogSource } from '../workflows/contract/batch.ts';
import { batchStart } from '../workflows/contract/batch-start.ts';
import { batchWorkflowId, ORCHESTRATOR_QUEUE } from '../workflows/contract/queues.ts';
import type { Workflows } from '../workflows/contract/workflows.ts';
import { aboutBatch, describeBatch } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { batchProgress } from './progress.ts';
import { keepRevisions, type RetryRequest, type Revised } from './retry-revisions.ts';

/** A round that was started, how many images the batch lacked, and how many of its rows come out otherwise. */
export type Retried = Revised & { round: number; missing: number };

/**
 * Starts another round of a batch that has ended: it renders the jobs that have no image, failed or never started, and those
 * whose image was rejected.
 *
 * @throws UserError where Temporal does not know the batch, it still runs, or nothing is to be made
 * @throws CatalogError with every problem of a corrected catalog
 * @example
 * ```js
 * import { connect, retryBatch } from 'pixart-batch';
 *
 * const client = await connect();
 * const { round, missing } = await retryBatch(client, 'summer');
 * console.log(`round ${round} renders ${missing} images`);
 * await client.close();
 * ```
 */
export async function retryBatch(client: BatchClient, batch: string, request: RetryRequest = {}): Promise<Retried> {
  const { endedAt } = await describeBatch(client, batch);
  if (endedAt === null) throw new UserError(`batch ${batch} cannot be retried: it still runs`);
  const { totals, round } = await batchProgress(client, batch);
  const isPlanned = totals.jobs > 0;
  if (!isPlanned && round === 1)
    throw new UserError(`batch ${batch} was never planned (status tells why): submit its catalog again`);
  const isComplete =
    isPlanned && totals.failed + totals.cancelled === 0 && totals.rendered + totals.reused === totals.jobs;
  if (isComplete && request.decisions === undefined) {
    throw new UserError(
      `batch ${batch} has nothing to retry: no image is missing. Images that you do not want are made again with --rejected`,
    );
  }
  const before = await lastInput(client, batch);
  const { catalog, reading } = firstSource(before);
  const isRevised = request.corrected !== undefined || request.decisions !== undefined;
  const { source, revised } = isRevised
    ? await keepRevisions(before, reading ?? { columns: {} }, request)
    : { source: {}, revised: { corrected: 0, rejected: 0, leftAside: [] } };
  const input: BatchInput = {
    ...before,
    round: before.round + 1,
    source: {
      kind: 'retry',
      ...(catalog !== undefined && { catalog }),
      ...(reading !== undefined && { reading }),
      ...source,
    },
  };
  await client.temporal.workflow.start<Workflows['renderBatch']>('renderBatch', {
    ...batchStart(input),
    taskQueue: ORCHESTRATOR_QUEUE,
    workflowIdConflictPolicy: 'FAIL',
  });
  return { round: input.round, missing: totals.jobs - totals.rendered - totals.reused, ...revised };
}

/** Where the first round's rows came from, which every later round passes on. */
function firstSource({ source }: BatchInput): Pick<Extract<CatalogSource, { kind: 'retry' }>, 'catalog' | 'reading'> {
  if (source.kind === 'retry') return source;
  const { url, columns, expansion } = source;
  return { catalog: url, reading: { columns, expansion } };
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
