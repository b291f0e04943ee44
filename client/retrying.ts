import { withoutSecrets } from '../domain/secrets.ts';
import { rawMessage, rawValue } from '../encryption/raw-payloads.ts';
import { waitOf } from '../workflows/contract/heartbeats.ts';
import { STORING_HOURS } from '../workflows/contract/limits.ts';
import { batchWorkflowId } from '../workflows/contract/queues.ts';
import { aboutBatch, batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { type Pending, type PendingWork, pendingWork } from './pending-work.ts';

/**
 * What holds a batch up: activities that are being retried after a failure, or wait for a store that does not answer or
 * refuses an image; shards that Temporal has lost.
 */
export type Retrying = {
  /** Images (`renderImage`), a step of the batch itself, or shards that Temporal has lost (`renderShard`). */
  activity: string;
  count: number;
  /** The most failed attempts that one of them has had. */
  attempts: number;
  /** The reason; if several are held up in the same way, that of one of them. */
  reason: string;
  /** Whether the reason is a store that does not answer or denies access. */
  waitsForStore: boolean;
  /** Whether someone has paused it in Temporal: it waits until it is unpaused there. */
  isPaused: boolean;
  /** When the first of them was due, began to wait for its store, was paused or lost; `null` if only attempts are counted. */
  since: Date | null;
  /** When the first of them gives up; `null` if only attempts are counted. */
  givesUpAt: Date | null;
};

/** Failure types, which are the names of the errors. */
const STORE_FAILURES = ['StoreUnavailable', 'StoreDenied'];

/**
 * What holds up a running batch, from the pending activities of its workflows; needs no orchestrator.
 *
 * @throws UserError if Temporal does not know the batch
 */
export async function retrying(client: BatchClient, batch: string): Promise<Retrying[]> {
  const { raw } = await aboutBatch(client, batch, () => batchHandle(client, batch).describe());
  return heldUpBy(client, batch, await pendingWork(client, raw));
}

/** The same, from what the batch waits for. */
export async function heldUpBy(
  client: BatchClient,
  batch: string,
  { activities, lostShards }: PendingWork,
): Promise<Retrying[]> {
  const held = await retryingOf(client, activities);
  return lostShards.length === 0 ? held : [lossOf(batch, lostShards), ...held];
}

const lossOf = (batch: string, ends: readonly Date[]): Retrying => ({
  ...{ activity: 'renderShard', count: ends.length, attempts: 0, waitsForStore: false, isPaused: false },
  reason:
    'they have ended, but Temporal never reports that to the batch, as after a reset of a terminated batch. It waits forever, ' +
    `even if you cancel it; run: temporal workflow terminate --workflow-id ${batchWorkflowId(batch)}, then: npx pixart-batch retry ${batch}`,
  since: new Date(Math.min(...ends.map(Number))),
  givesUpAt: null,
});

/** Those of a workflow's pending activities that are held up. */
export async function retryingOf(client: BatchClient, all: readonly Pending[]): Promise<Retrying[]> {
  const found = new Map<string, Retrying>();
  for (const trouble of await Promise.all(all.map((pending) => troubleOf(client, pending)))) {
    if (trouble === null) continue;
    const key = `${trouble.activity} ${trouble.kind}`;
    const before = found.get(key);
    found.set(key, before === undefined ? trouble.told : together(before, trouble.told));
  }
  return [...found.values()].toSorted((a, b) => b.count - a.count);
}

/** `null` if nothing holds it up. */
async function troubleOf(
  { temporal }: BatchClient,
  pending: Pending,
): Promise<{ activity: string; kind: string; told: Retrying } | null> {
  const { activityType, attempt, lastFailure } = pending;
  const pause = pauseOf(pending);
  const wait = await waitOf(pending, (payload) => rawValue(temporal, payload));
  const reason = withoutSecrets(pause?.by ?? wait?.waitsFor ?? (await rawMessage(temporal, lastFailure)));
  if (!reason) return null;
  const activity = activityType?.name ?? '';
  const type = lastFailure?.applicationFailureInfo?.type ?? '';
  const told: Retrying = {
    ...{ activity, count: 1, attempts: (attempt ?? 1) - 1, reason },
    waitsForStore: pause === null && (wait !== null || STORE_FAILURES.includes(type)),
    isPaused: pause !== null,
    ...timesOf(pending),
    ...(wait?.since && heldFrom(wait.since)),
    ...(pause && { since: pause.since, givesUpAt: null }),
  };
  const kind = wait === null ? type || reason : 'wait';
  return { activity, kind: pause === null ? kind : 'paused', told };
}

/** Who paused it in Temporal's UI or command line, and why; `null` if nobody has. */
function pauseOf({ paused, pauseInfo }: Pending): { by: string; since: Date | null } | null {
  if (!paused) return null;
  const { identity, reason } = pauseInfo?.manual ?? pauseInfo?.rule ?? {};
  const seconds = secondsOf(pauseInfo?.pauseTime);
  return {
    by: `by ${identity || 'someone'}${reason ? `: ${reason}` : ''}`,
    since: seconds > 0 ? new Date(1_000 * seconds) : null,
  };
}

type Times = Pick<Retrying, 'since' | 'givesUpAt'>;

/** For a finished image that its worker holds and keeps trying to store. */
const heldFrom = (since: Date): Times => ({
  since,
  givesUpAt: new Date(since.getTime() + 3_600_000 * STORING_HOURS),
});

/** For activities that are retried until a deadline. */
function timesOf({ expirationTime, activityOptions }: Pending): Times {
  const allowed = secondsOf(activityOptions?.scheduleToCloseTimeout);
  const end = allowed > 0 ? secondsOf(expirationTime) : 0;
  return {
    since: end > 0 ? new Date(1_000 * (end - allowed)) : null,
    givesUpAt: end > 0 ? new Date(1_000 * end) : null,
  };
}

const secondsOf = (time: { seconds?: unknown } | null | undefined): number => Number(time?.seconds ?? 0);

const together = (a: Retrying, b: Retrying): Retrying => ({
  ...b,
  count: a.count + b.count,
  attempts: Math.max(a.attempts, b.attempts),
  since: earlier(a.since, b.since),
  givesUpAt: earlier(a.givesUpAt, b.givesUpAt),
});

const earlier = (a: Date | null, b: Date | null): Date | null => (a === null || (b !== null && b < a) ? b : a);
