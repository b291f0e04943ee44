import { defaultPayloadConverter } from '@temporalio/common';
import { withoutSecrets } from '../domain/secrets.ts';
import type { StepHeartbeat } from '../workflows/contract/activities.ts';
import { aboutBatch, batchHandle } from './batches.ts';
import type { BatchClient } from './connect.ts';

/** Activities that are held up: their last attempt failed and they are tried again, or one waits for a store that does not answer. */
export type Retrying = {
  /** Images (`renderImage`), or a step of the batch's own. */
  activity: string;
  count: number;
  /** The most that one of them has had; one that is at work is not counted. */
  attempts: number;
  /** Of one of them, where several are held up in the same way. */
  reason: string;
  /** Whether that is a store that is away or lets nobody in. */
  waitsForStore: boolean;
  /** When the first of them was to begin; `null` where only attempts are counted. */
  since: Date | null;
  /** When the first of them gives up; `null` where only attempts are counted. */
  givesUpAt: Date | null;
};

/** The failures' types, which are the errors' names. */
const STORE_FAILURES = ['StoreUnavailable', 'StoreDenied'];

/**
 * What a batch that runs is held up by, as the pending activities of its workflows tell; no orchestrator is asked.
 *
 * @throws UserError where Temporal does not know the batch
 */
export async function retrying(client: BatchClient, batch: string): Promise<Retrying[]> {
  const { raw } = await aboutBatch(client, batch, () => batchHandle(client, batch).describe());
  const shards = (raw.pendingChildren ?? []).filter(({ workflowTypeName }) => workflowTypeName === 'renderShard');
  const ofShards = await Promise.all(shards.map(({ workflowId }) => pendingOf(client, workflowId!)));
  const found = new Map<string, Retrying>();
  for (const pending of [...(raw.pendingActivities ?? []), ...ofShards.flat()]) {
    const trouble = troubleOf(pending);
    if (trouble === null) continue;
    const key = `${trouble.activity} ${trouble.kind}`;
    const before = found.get(key);
    found.set(key, before === undefined ? trouble.told : together(before, trouble.told));
  }
  return [...found.values()].toSorted((a, b) => b.count - a.count);
}

type Pending = NonNullable<Awaited<ReturnType<typeof pendingOf>>>[number];

/** `null` where nothing holds it up. */
function troubleOf(pending: Pending): { activity: string; kind: string; told: Retrying } | null {
  const { activityType, attempt, lastFailure, expirationTime, activityOptions } = pending;
  const silence = silenceOf(pending);
  const reason = withoutSecrets(silence ?? lastFailure?.message ?? '');
  if (!reason) return null;
  const activity = activityType?.name ?? '';
  const type = lastFailure?.applicationFailureInfo?.type ?? '';
  const allowed = secondsOf(activityOptions?.scheduleToCloseTimeout);
  const end = allowed > 0 ? secondsOf(expirationTime) : 0;
  const told: Retrying = {
    ...{ activity, count: 1, attempts: (attempt ?? 1) - 1, reason },
    waitsForStore: silence !== null || STORE_FAILURES.includes(type),
    since: end > 0 ? new Date(1_000 * (end - allowed)) : null,
    givesUpAt: end > 0 ? new Date(1_000 * end) : null,
  };
  return { activity, kind: silence === null ? type || reason : 'silence', told };
}

/** `PENDING_ACTIVITY_STATE_SCHEDULED` of Temporal's API: in the queue, or between two attempts. */
const SCHEDULED = 1;

/** What an attempt says that waits for its store. */
function silenceOf({ state, heartbeatDetails }: Pending): string | null {
  if (state === SCHEDULED) return null;
  const [payload] = heartbeatDetails?.payloads ?? [];
  if (!payload) return null;
  return defaultPayloadConverter.fromPayload<Partial<StepHeartbeat> | null>(payload)?.waitsFor ?? null;
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

/** None of a shard that has ended meanwhile. */
const pendingOf = ({ temporal }: BatchClient, workflowId: string) =>
  temporal.workflow
    .getHandle(workflowId)
    .describe()
    .then(
      ({ raw }) => raw.pendingActivities ?? [],
      () => [],
    );
