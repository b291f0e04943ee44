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

/** Temporal's policies for a batch that is still running when the next is due. */
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
 * The memo of a schedule. 0.1.0 wrote `cron` and no overlap. A schedule that something else created, or whose key is
 * missing, has no readable memo.
 */
export function memoOf(memo: Record<string, unknown> | undefined): ScheduleMemo {
  const { cron, ...known } = readableOf<ScheduleMemo & { cron: string }>(memo).known;
  const when = cron === undefined ? 'unknown' : `cron ${cron}`;
  return { catalog: 'unknown', store: 'unknown', when, timeZone: 'UTC', overlap: 'skip', ...known };
}

/** The input of a schedule's batches; `null` if it starts something else, or cannot be read. */
export function inputOf({ action }: Pick<ScheduleDescription, 'action'>): ScheduledBatchInput | null {
  const [input] = (action.args ?? []) as (Partial<ScheduledBatchInput> | undefined)[];
  const isOurs = typeof input?.store === 'string' && input.source !== undefined && input.schedule !== undefined;
  return isOurs ? (input as ScheduledBatchInput) : null;
}

/**
 * What a schedule starts, and when, as it is now. Its memo dates from its creation, and servers do not allow changes to a
 * memo (1.29 ignores them, 1.32 refuses them); it is used for what earlier versions stored nowhere else.
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
    'pause on failure: expected an overlap policy other than run-both, with which the server does not watch how batches end',
  );
}

/** The id of a batch that is due now, which is longer than the name. @throws UserError for a name that cannot begin an id */
export const scheduledBatchId = (name: string): string => batchIdAt(checkBatchId(name), new Date());

export const isOurs = (id: string): boolean => id.startsWith(SCHEDULE_PREFIX);
/** A schedule that something else created is called by its id. */
export const scheduleName = (id: string): string => (isOurs(id) ? id.slice(SCHEDULE_PREFIX.length) : id);

/**
 * Makes a call about one schedule, and translates its errors.
 *
 * @throws UserError if there is no such schedule, or the server cannot run it
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
        `schedule ${name} can no longer start batches: ${fault}. Create it again${isMissing ? '' : ', once it is deleted'}`,
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
 * Carries out a command on one schedule, with audit lines in the store of its batches.
 *
 * @throws like aboutSchedule
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
