import { WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import type { RowFilter } from '../domain/row-filter.ts';
import { UserError } from '../domain/user-error.ts';
import type { AuditAction, AuditDetails } from '../records/audit.ts';
import { countMatching } from '../records/matching-rows.ts';
import { ObjectNotFound, openStore, StoreUnavailable } from '../store/index.ts';
import { CONTROL_UPDATE, type ControlChange } from '../workflows/contract/control.ts';
import { auditedControl } from './audited-control.ts';
import { aboutBatch, type BatchListing, batchHandle, describeBatch } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { noOrchestrator } from './progress.ts';

/** A running orchestrator answers within a second. */
const ANSWER_MS = 15_000;

/** Seen on server 1.32: the server keeps an update whose caller has gone, until the server itself restarts. */
const KEPT = 'the server keeps the command until one does: check the batch before you repeat it';

/**
 * Changes how a batch runs: pause, resume, window, priority, or cancellation of some jobs. The change is in force when this
 * returns; queues follow within seconds. Images in hand are finished, unless they are cancelled.
 *
 * @throws UserError if the batch refuses, Temporal does not know it, it has ended, or a filter matches no row
 * @throws NoOrchestrator if nobody answers in time; the change may still be made later
 * @example
 * ```js
 * import { batchProgress, connect, controlBatch } from 'pixart-batch';
 *
 * const client = await connect();
 * await controlBatch(client, 'summer', { kind: 'priority', priority: 1 });
 * await controlBatch(client, 'summer', { kind: 'window', window: 16 });
 * await controlBatch(client, 'summer', { kind: 'cancel-rows', filter: { column: 'id', pattern: 'draft-*' } });
 * console.log((await batchProgress(client, 'summer')).window); // 16
 * await client.close();
 * ```
 */
export async function controlBatch(client: BatchClient, batch: string, change: ControlChange): Promise<void> {
  const listing = await describeBatch(client, batch);
  const { endedAt, state } = listing;
  if (endedAt !== null) throw new UserError(`batch ${batch} cannot be changed: it has ended (${state})`);
  const action = { action: change.kind satisfies AuditAction, batch, details: detailsOf(change) };
  await auditedControl(client, listing.store, action, () => ordered(client, batch, change));
  if (change.kind === 'cancel-rows') await checkFinds(listing, change.filter);
}

async function ordered(client: BatchClient, batch: string, change: ControlChange): Promise<void> {
  try {
    await client.temporal.withDeadline(Date.now() + ANSWER_MS, () =>
      aboutBatch(client, batch, () => batchHandle(client, batch).executeUpdate(CONTROL_UPDATE, { args: [change] })),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw new UserError(error.cause?.message ?? error.message);
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) throw await noOrchestrator(client, batch, KEPT);
    throw error;
  }
}

/** The details for the audit line. The value of a filter is left out: it may contain words of a prompt. */
function detailsOf(change: ControlChange): AuditDetails {
  switch (change.kind) {
    case 'resume':
      return { ...change.maxFailures };
    case 'window':
      return { window: change.window };
    case 'priority':
      return { priority: change.priority };
    case 'cancel-size':
      return { size: change.size };
    case 'cancel-rows':
      return { column: change.filter.column };
    default:
      return {};
  }
}

/** A command that changes nothing is probably a mistake. The plan shows that, if it is written and can be read from here. */
async function checkFinds({ batch, round, store, state }: BatchListing, filter: RowFilter): Promise<void> {
  if (state === 'planning' || (await rowsFound(store, batch, round, filter)) !== 0) return;
  throw new UserError(
    `batch ${batch}: expected rows with ${filter.column}=${filter.pattern}, found none among those it is rendering; nothing was cancelled`,
  );
}

/** `null` if unknown. */
async function rowsFound(store: string, batch: string, round: number, filter: RowFilter): Promise<number | null> {
  try {
    return await countMatching(await openStore(store), batch, round, filter);
  } catch (error) {
    if ([UserError, StoreUnavailable, ObjectNotFound].some((kind) => error instanceof kind)) return null;
    throw error;
  }
}

/**
 * Asks a batch to stop: images in progress stop within a step, the manifest is still written, and the batch ends within a
 * minute. If its store is unreachable, it ends without a manifest. Returns at once; `batchEnd` waits.
 *
 * @throws UserError if Temporal does not know the batch, or it has ended
 * @example
 * ```js
 * import { batchEnd, cancelBatch, connect } from 'pixart-batch';
 *
 * const client = await connect();
 * await cancelBatch(client, 'summer');
 * console.log((await batchEnd(client, 'summer')).state); // cancelled
 * await client.close();
 * ```
 */
export async function cancelBatch(client: BatchClient, batch: string): Promise<void> {
  const { endedAt, state, store } = await describeBatch(client, batch);
  if (endedAt !== null) throw new UserError(`batch ${batch} cannot be cancelled: it has ended (${state})`);
  await auditedControl(client, store, { action: 'cancel', batch }, () => batchHandle(client, batch).cancel());
}
