import {
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { GRPC } from '../connection/grpc.ts';
import { nearName } from '../domain/near-name.ts';
import { ServerUnreachable, UserError } from '../domain/user-error.ts';
import type { BatchMemo } from '../workflows/contract/batch.ts';
import type { BatchState } from '../workflows/contract/progress.ts';
import { batchOf, batchWorkflowId } from '../workflows/contract/queues.ts';
import { PIXART_DONE, PIXART_FAILED, PIXART_TOTAL } from '../workflows/contract/search-attributes.ts';
import type { BatchClient } from './connect.ts';
import { grpcCause } from './server-trouble.ts';
import { readableOf } from './unreadable.ts';

/** One batch as Temporal lists it, without a query to its workflow. The counts lag by a few images. */
export type BatchListing = Omit<BatchMemo, 'state' | 'withoutManifest'> & {
  state: BatchState | 'failed' | 'terminated';
  /** Why it ended without a manifest (a retry writes one); `null` if it has one or is still running. */
  withoutManifest: string | null;
  total: number;
  /** While the batch runs, this and `failed` change with each fiftieth of it; `batchProgress` has the current counts. */
  done: number;
  failed: number;
  startedAt: Date;
  endedAt: Date | null;
  /** The key that this client lacks to read the rest; absent if it can. */
  keyMissing?: string;
};

/** The server does not know the batch, or has forgotten it, as it does with batches that ended long ago. */
export class BatchUnknown extends UserError {
  constructor({ address, namespace }: BatchClient, batch: string, more: string) {
    super(`batch ${batch}: unknown to the Temporal server at ${address} (namespace ${namespace})${more}`);
  }
}

/** Listings are newest first: these are enough to recognise a mistyped id, and come in one answer. */
const LISTED = 1_000;

/** A BatchUnknown that names a batch with a similar id, if there is one. */
export async function unknownBatch(client: BatchClient, batch: string, more = FORGOTTEN): Promise<BatchUnknown> {
  // A suggestion that cannot be made must not replace the error.
  const near = await similarBatch(client, batch).catch(() => undefined);
  return new BatchUnknown(client, batch, `${near === undefined ? '' : `; did you mean ${near}?`}${more}`);
}

async function similarBatch(client: BatchClient, batch: string): Promise<string | undefined> {
  const known = new Set<string>();
  const query = "WorkflowType = 'renderBatch'";
  for await (const { workflowId } of client.listings.workflow.list({ query, pageSize: LISTED })) {
    known.add(batchOf(workflowId));
    if (known.size === LISTED) break;
  }
  // The listing lags behind.
  known.delete(batch);
  return nearName(batch, known);
}

const FORGOTTEN =
  '. "npx pixart-batch list" shows the batches it knows. It forgets batches that ended long ago: "status", "report" and "retry" read them from their store (--store)';
export const stillRuns = (batch: string): UserError =>
  new UserError(`batch ${batch} cannot be retried: it is still running`);

/**
 * Every batch that Temporal remembers, with its latest round, newest first. A round that ended before it knew its rows is
 * listed with the counts of the previous round.
 */
export async function* listBatches(client: BatchClient): AsyncGenerator<BatchListing> {
  const latest = new Map<string, BatchListing>();
  const query = `WorkflowType = 'renderBatch' AND ExecutionStatus != 'ContinuedAsNew'`;
  for await (const info of client.listings.workflow.list({ query })) {
    const found = listing(info);
    const later = latest.get(info.workflowId);
    if (later === undefined) latest.set(info.workflowId, found);
    else if (later.total === 0 && later.endedAt !== null) {
      latest.set(info.workflowId, { ...later, total: found.total, done: found.done, failed: found.failed });
    }
  }
  yield* latest.values();
}

/** The listing of one batch. @throws BatchUnknown */
export async function describeBatch(client: BatchClient, batch: string): Promise<BatchListing> {
  return listing(await aboutBatch(client, batch, () => batchHandle(client, batch).describe()));
}

/** Like describeBatch, but `null` for a batch that the server does not know. */
export const findBatch = (client: BatchClient, batch: string): Promise<BatchListing | null> =>
  found(client, batchHandle(client, batch));

/** Like findBatch, but if this client lacks the batch's key, with what Temporal itself knows (see `keyMissing`). */
export const findAnyBatch = (client: BatchClient, batch: string): Promise<BatchListing | null> =>
  found(client, client.listings.workflow.getHandle(batchWorkflowId(batch)));

async function found(client: BatchClient, handle: WorkflowHandle): Promise<BatchListing | null> {
  try {
    return listing(await reaching(client, () => handle.describe()));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function listing(info: WorkflowExecutionInfo | WorkflowExecutionDescription): BatchListing {
  const { known, keyMissing } = readableOf<BatchMemo>(info.memo);
  const memo = keyMissing === null ? (known as BatchMemo) : { ...unknown(info), ...known };
  const counts = info.typedSearchAttributes;
  const state = stateOf(info, memo);
  return {
    ...memo,
    state,
    withoutManifest: memo.withoutManifest ?? lackOfManifest(state, memo),
    total: counts.get(PIXART_TOTAL) ?? 0,
    done: counts.get(PIXART_DONE) ?? 0,
    failed: counts.get(PIXART_FAILED) ?? 0,
    startedAt: info.startTime,
    endedAt: info.closeTime ?? null,
    ...(keyMissing !== null && { keyMissing }),
  };
}

/** What Temporal itself knows about a batch whose memo is encrypted. */
const unknown = ({ workflowId, status }: Pick<WorkflowExecutionInfo, 'workflowId' | 'status'>): BatchMemo => ({
  batch: batchOf(workflowId),
  round: 1,
  state: STATES[status.name] ?? 'rendering',
  ...{ catalog: 'unknown', bundle: 'unknown', bundleDigest: 'unknown', store: 'unknown' },
});

const STATES: Partial<Record<string, BatchState>> = { COMPLETED: 'completed', CANCELLED: 'cancelled' };

/** The workflow records its own state; if it could not, Temporal's status counts. */
function stateOf(info: WorkflowExecutionInfo | WorkflowExecutionDescription, memo: BatchMemo): BatchListing['state'] {
  const { name } = info.status;
  if (name === 'FAILED' && memo.state === 'refused') return 'refused';
  if (name === 'FAILED' || name === 'TIMED_OUT') return 'failed';
  if (name === 'TERMINATED') return 'terminated';
  return name === 'RUNNING' && isCancelRequested(info) ? 'stopping' : memo.state;
}

/** Whether cancellation was requested; the workflow may not know yet. Listings do not include this. */
export const isCancelRequested = ({
  raw,
}: Pick<WorkflowExecutionInfo | WorkflowExecutionDescription, 'raw'>): boolean =>
  'workflowExtendedInfo' in raw && raw.workflowExtendedInfo?.cancelRequested === true;

/** The reason if the workflow could not record one itself, or an earlier version did not. */
function lackOfManifest(state: BatchListing['state'], memo: BatchMemo): string | null {
  const wasWritten = memo.state === 'completed' || memo.state === 'cancelled';
  if (wasWritten || (state !== 'failed' && state !== 'terminated')) return null;
  return state === 'failed' ? 'it failed' : 'it was terminated';
}

/** The handle of a batch's latest run. */
export const batchHandle = (client: BatchClient, batch: string) =>
  client.temporal.workflow.getHandle(batchWorkflowId(batch));

/**
 * Makes a call about one batch, and translates its errors.
 *
 * @throws BatchUnknown
 * @throws ServerUnreachable
 */
export async function aboutBatch<T>(client: BatchClient, batch: string, call: () => Promise<T>): Promise<T> {
  try {
    return await reaching(client, call);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw await unknownBatch(client, batch);
  }
}

/** @throws ServerUnreachable */
async function reaching<T>({ address }: BatchClient, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (grpcCause(error) !== GRPC.UNAVAILABLE) throw error;
    throw new ServerUnreachable(`the Temporal server at ${address} does not answer`);
  }
}
