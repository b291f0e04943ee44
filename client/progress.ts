import { GRPC } from '../connection/grpc.ts';
import { UserError } from '../domain/user-error.ts';
import {
  type BatchAnswer,
  type BatchProgress,
  PROGRESS_QUERY,
  type ShardReport,
} from '../workflows/contract/progress.ts';
import { withReports } from '../workflows/contract/shard-report.ts';
import { aboutBatch, batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { orchestratorsSeen, whyPassedOver } from './orchestrators.ts';
import { grpcAnswer } from './server-trouble.ts';

/** The batch is known, but no orchestrator is running to answer for it. */
export class NoOrchestrator extends UserError {
  /** Why polling orchestrators do not get it; `null` if none is polling, or it is unknown. */
  readonly why: string | null;

  /** @param meanwhile what happens to the batch, or to a command, until there is one */
  constructor(batch: string, why: string | null = null, meanwhile = 'the batch is waiting for it') {
    const remedy = why === null ? '. Start one with "npx pixart-batch worker"' : `: ${why}`;
    super(`batch ${batch}: no orchestrator answers for it${remedy}; ${meanwhile}`);
    this.why = why;
  }
}

/** For a shard that does not answer in time, its last report counts: it may just be starting or ending. */
const SHARD_ANSWER_MS = 2_000;

/**
 * Queries a batch and its running shards for their progress; an ended batch answers too.
 *
 * @throws UserError if Temporal does not know the batch
 * @throws NoOrchestrator
 * @example
 * ```js
 * import { batchProgress, connect } from 'pixart-batch';
 *
 * const client = await connect();
 * const { state, totals, recentFailures } = await batchProgress(client, 'spring');
 * console.log(state, totals.rendered + totals.reused, 'of', totals.jobs);
 * for (const { id, reason } of recentFailures) console.log(`${id}: ${reason}`);
 * await client.close();
 * ```
 */
export async function batchProgress(client: BatchClient, batch: string): Promise<BatchProgress> {
  const answer = await aboutBatch(client, batch, async () => {
    try {
      return await batchHandle(client, batch).query<BatchAnswer, []>(PROGRESS_QUERY);
    } catch (error) {
      throw isUnanswered(error) ? await noOrchestrator(client, batch) : error;
    }
  });
  // An older orchestrator does not list its shards.
  const running = answer.running ?? [];
  const reports = await Promise.all(running.map(({ workflowId }) => shardReport(client, workflowId)));
  return withReports(
    { ...answer, running },
    reports.filter((report) => report !== null),
  );
}

/** WORKFLOW_EXECUTION_STATUS_RUNNING in Temporal's API. */
const RUNNING = 1;

/**
 * The error for a batch without an answering orchestrator, with the reason if it is known.
 *
 * @param meanwhile what happens to a command; default: what happens to the batch
 */
export async function noOrchestrator(client: BatchClient, batch: string, meanwhile?: string): Promise<NoOrchestrator> {
  try {
    const [{ raw }, seen] = await Promise.all([batchHandle(client, batch).describe(), orchestratorsSeen(client)]);
    const ended =
      raw.workflowExecutionInfo?.status === RUNNING ? undefined : `"npx pixart-batch report ${batch}" needs none`;
    return new NoOrchestrator(batch, whyPassedOver(raw, seen), meanwhile ?? ended);
  } catch {
    return new NoOrchestrator(batch, null, meanwhile);
  }
}

async function shardReport({ temporal }: BatchClient, workflowId: string): Promise<ShardReport | null> {
  try {
    return await temporal.withDeadline(Date.now() + SHARD_ANSWER_MS, () =>
      temporal.workflow.getHandle(workflowId).query<ShardReport, []>(PROGRESS_QUERY),
    );
  } catch {
    return null;
  }
}

/**
 * The server refuses a query at once if it has seen no worker for minutes; otherwise it gives up after ten seconds. It
 * buffers only a few waiting queries and refuses the others (`consistent query buffer is full`, seen on 1.32).
 */
function isUnanswered(error: unknown): boolean {
  const { code, details = '' } = grpcAnswer(error) ?? {};
  if (code === GRPC.RESOURCE_EXHAUSTED) return details.includes('query buffer is full');
  return code === GRPC.DEADLINE_EXCEEDED || code === GRPC.FAILED_PRECONDITION;
}
