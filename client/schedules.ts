import {
  type ScheduleDescription,
  type ScheduleHandle,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { GRPC } from '../connection/grpc.ts';
import { batchIdAt } from '../domain/batch-id.ts';
import { UserError } from '../domain/user-error.ts';
import type { AuditedAction, TellAudit } from '../records/audit.ts';
import { checkBatchId } from '../records/layout.ts';
import type { ScheduledBatchInput } from '../workflows/contract/batch.ts';
import { catalogUrl } from '../workflows/contract/batch-start.ts';
import { SCHEDULE_PREFIX, scheduleId } from '../workflows/contract/queues.ts';
import { auditedControl } from './audited-control.ts';
import type { BatchClient } from './connect.ts';
import { scheduleFault } from './schedule-fault.ts';
import { grpcAnswer, serverTrouble } from './server-trouble.ts';
import { readableOf } from './unreadable.ts';

/** What happens where a batch still runs when the next is due, in Temporal's terms. */
export const OVERLAPS = {
  skip: ScheduleOverlapPolicy.SKIP,
  'wait-one': ScheduleOverlapPolicy.BUFFER_ONE,
  'wait-all': ScheduleOverlapPolicy.BUFFER_ALL,
  'cancel-running': ScheduleOverlapPolicy.CANCEL_OTHER,
  'run-both': ScheduleOverlapPolicy.ALLOW_ALL,
} as const;

export type Overlap = keyof typeof OVERLAPS;

export type ScheduleMemo = { catalog: string; store: string; when: string; timeZone: string; overlap: Overlap };

/**
 * What a schedule says of itself; 0.1.0 wrote `cron` and no overlap, and one that was made by other means says nothing. Nor does one whose key
 * is not there.
 */
export function memoOf(memo: Record<string, unknown> | undefined): ScheduleMemo {
  const { cron, ...known } = readableOf<ScheduleMemo & { cron: string }>(memo).known;
  const when = cron === undefined ? 'unknown' : `cron ${cron}`;
  return { catalog: 'unknown', store: 'unknown', when, timeZone: 'UTC', overlap: 'skip', ...known };
}

/** What a schedule's action starts a batch with; `null` where it starts something else, or that cannot be read. */
export function inputOf({ action }: Pick<ScheduleDescription, 'action'>): ScheduledBatchInput | null {
  const [input] = (action.args ?? []) as (Partial<ScheduledBatchInput> | undefined)[];
  const isOurs = typeof input?.store === 'string' && input.source !== undefined && input.schedule !== undefined;
  return isOurs ? (input as ScheduledBatchInput) : null;
}

/**
 * What a schedule starts, and when, as it is now. Its memo has that as it was created, and servers let nobody change a memo (1.29 passes over
 * that, 1.32 refuses it); it tells what earlier versions kept nowhere else.
 */
export function toldOf(description: ScheduleDescription): ScheduleMemo {
  const known = memoOf(description.memo);
  const input = inputOf(description);
  const { structuredCalendar, timezoneName } = description.raw.schedule?.spec ?? {};
  return {
    catalog: (input === null ? undefined : catalogUrl(input.source)) ?? known.catalog,
    store: input?.store ?? known.store,
    when: structuredCalendar?.[0]?.comment || known.when,
    timeZone: timezoneName || known.timeZone,
    overlap: overlapOf(description),
  };
}

export const overlapOf = ({ policies }: Pick<ScheduleDescription, 'policies'>): Overlap =>
  (Object.keys(OVERLAPS) as Overlap[]).find((overlap) => OVERLAPS[overlap] === policies.overlap) ?? 'skip';

/** @throws UserError for policies that do not go together */
export function checkPolicies({ overlap, pauseOnFailure }: { overlap: Overlap; pauseOnFailure: boolean }): void {
  if (!pauseOnFailure || overlap !== 'run-both') return;
  throw new UserError(
    'pause on failure: expected another overlap than run-both, with which the server does not watch how batches end',
  );
}

/** As of a batch that is due now: its id is longer than the name that begins it. @throws UserError for a name that begins no id */
export const scheduledBatchId = (name: string): string => batchIdAt(checkBatchId(name), new Date());

export const isOurs = (id: string): boolean => id.startsWith(SCHEDULE_PREFIX);
/** One that somebody made by other means is called by its id. */
export const scheduleName = (id: string): string => (isOurs(id) ? id.slice(SCHEDULE_PREFIX.length) : id);

/**
 * Runs a call about one schedule.
 *
 * @throws UserError where there is no such schedule, or the server cannot go on with it
 * @throws ServerUnreachable
 */
export async function aboutSchedule<T>(
  client: BatchClient,
  name: string,
  call: (handle: ScheduleHandle) => Promise<T>,
): Promise<T> {
  const id = scheduleId(name);
  try {
    return await call(client.temporal.schedule.getHandle(id));
  } catch (error) {
    const trouble = serverTrouble(client, error);
    if (trouble !== null) throw trouble;
    const answer = grpcAnswer(error);
    const isMissing = error instanceof ScheduleNotFoundError;
    if (!isMissing && answer?.code !== GRPC.FAILED_PRECONDITION && answer?.code !== GRPC.INVALID_ARGUMENT) throw error;
    const fault = await scheduleFault(client, id);
    if (fault !== null) {
      throw new UserError(
        `schedule ${name} starts nothing any more: ${fault}. Create it anew${isMissing ? '' : ', once it is deleted'}`,
      );
    }
    throw new UserError(
      isMissing
        ? `schedule ${name}: expected one of that name, found none. "npx pixart-batch schedule list" shows all.`
        : `schedule ${name}: ${answer?.details}`,
    );
  }
}

/**
 * Runs an order about one schedule, with audit lines in the store of its batches.
 *
 * @throws as aboutSchedule
 */
export const orderSchedule = <T>(
  client: BatchClient,
  name: string,
  order: Omit<AuditedAction, 'schedule'>,
  call: (handle: ScheduleHandle, description: ScheduleDescription, tell: TellAudit) => Promise<T>,
): Promise<T> =>
  aboutSchedule(client, name, async (handle) => {
    const description = await handle.describe();
    const { store } = toldOf(description);
    return auditedControl(client, store, { ...order, schedule: name }, (tell) => call(handle, description, tell));
  });
