import { existsSync } from 'node:fs';
import { type CalendarSpec, ScheduleAlreadyRunning } from '@temporalio/client';
import type { Duration } from '@temporalio/common';
import { batchIdAt } from '../domain/batch-id.ts';
import { UserError } from '../domain/user-error.ts';
import { checkBatchId } from '../records/layout.ts';
import type { ScheduledBatchInput } from '../workflows/contract/batch.ts';
import { fileName } from '../workflows/contract/batch-start.ts';
import { ORCHESTRATOR_QUEUE } from '../workflows/contract/queues.ts';
import type { Workflows } from '../workflows/contract/workflows.ts';
import type { BatchClient } from './connect.ts';
import { type BatchRequest, batchInput, type CatalogInput, installedBundle } from './request.ts';
import { type CheckedCatalog, readRequestedCatalog, summaryOf } from './requested-catalog.ts';
import { OVERLAPS, type Overlap, type ScheduleMemo, scheduleId } from './schedules.ts';

export type ScheduleRequest = BatchRequest & {
  /** Begins the id of every batch that it starts. */
  name: string;
  when: ScheduleTimes;
  /** Such as `Europe/Berlin`; UTC unless given. */
  timeZone?: string | undefined;
  /** What happens where a batch still runs when the next is due; `skip` unless given. */
  overlap?: Overlap | undefined;
  /** A time that was missed, because the server was down, is made up for within so long; a year unless given. */
  catchUp?: Duration | undefined;
  /** Up to so much later, by chance: not all schedules of a night at once. */
  jitter?: Duration | undefined;
  /** Starts no more once a batch has failed as a whole. */
  pauseOnFailure?: boolean | undefined;
};

/** A cron expression of five fields or a macro such as `@daily`; or a time of day, `22:30`, on some days of the week. */
export type ScheduleTimes = { cron: string } | { at: string; days: Weekday[] };

export const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

export type Weekday = (typeof WEEKDAYS)[number];

/**
 * Has a batch of a catalog started at times. The catalog is read when the batch starts.
 *
 * @throws UserError for a name that is taken, or times or a time zone that Temporal does not accept
 * @example
 * ```js
 * import { bundleRef, chosenBundle, connect, createSchedule, deleteSchedule, describeSchedule } from 'pixart-batch';
 *
 * const client = await connect();
 * await createSchedule(client, {
 *   name: 'nightly',
 *   when: { at: '22:00', days: ['monday', 'friday'] },
 *   timeZone: 'Europe/Berlin',
 *   catalog: 'catalog.csv',
 *   store: 'out',
 *   bundle: bundleRef(await chosenBundle('pixart-icons')),
 * });
 * console.log((await describeSchedule(client, 'nightly')).next[0]);
 * await deleteSchedule(client, 'nightly');
 * await client.close();
 * ```
 */
export async function createSchedule(client: BatchClient, request: ScheduleRequest): Promise<void> {
  const { name, when, timeZone = 'UTC', overlap = 'skip', catchUp, jitter, pauseOnFailure = false } = request;
  const { batch: _, round: __, ...input } = scheduledInput(request);
  const memo: ScheduleMemo = {
    catalog: input.source.url,
    store: input.store,
    when: timesText(when),
    timeZone,
    overlap,
  };
  try {
    await client.temporal.schedule.create({
      scheduleId: scheduleId(name),
      spec: {
        ...('cron' in when ? { cronExpressions: [when.cron] } : { calendars: [calendar(when)] }),
        timezone: timeZone,
        ...(jitter !== undefined && { jitter }),
      },
      policies: {
        overlap: OVERLAPS[overlap],
        pauseOnFailure,
        ...(catchUp !== undefined && { catchupWindow: catchUp }),
      },
      memo,
      action: {
        type: 'startWorkflow',
        workflowType: 'scheduledBatch' satisfies keyof Workflows,
        workflowId: scheduleId(name),
        taskQueue: ORCHESTRATOR_QUEUE,
        args: [{ ...input, schedule: name } satisfies ScheduledBatchInput],
        staticSummary: `Batches of ${fileName(input.source.url)}`,
      },
    });
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning)
      throw new UserError(`schedule ${name} exists already: delete it first`);
    // What the SDK makes of times or a time zone that the server refuses.
    if (error instanceof TypeError) {
      throw new UserError(`schedule ${name}: ${memo.when} in ${timeZone}: ${error.message}`);
    }
    throw error;
  }
}

/** Why a batch of a catalog would fail: it is not there yet, or what is wrong with it. */
export type CatalogTrouble = 'missing' | UserError;

/** What is known of a schedule's catalog before it is due; no plan where it lies elsewhere. */
export type ScheduledCatalog = { trouble: CatalogTrouble } | { trouble: null; plan: CheckedCatalog | null };

/**
 * What would make a schedule's batch fail if it were due now, or else what it would come to. Looked at is a catalog that would lie on this
 * machine. It may be another one until it is read, elsewhere.
 *
 * @throws UserError for a request that no batch could be started from
 */
export async function scheduledCatalog(request: ScheduleRequest): Promise<ScheduledCatalog> {
  const input = scheduledInput(request);
  const { url } = input.source;
  if (!url.startsWith('file:')) return { trouble: null, plan: null };
  if (!existsSync(new URL(url))) return { trouble: 'missing' };
  try {
    const catalog = await readRequestedCatalog(input, request.catalog);
    return { trouble: null, plan: await summaryOf(catalog, installedBundle(request)) };
  } catch (error) {
    if (error instanceof UserError) return { trouble: error };
    throw error;
  }
}

/** As of a batch that is due now: its id is longer than the name that begins it. */
const scheduledInput = (request: ScheduleRequest): CatalogInput =>
  batchInput(request, batchIdAt(checkBatchId(request.name), new Date()));

/** As Temporal names them. */
const dayNames = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const;

/** @throws UserError for a time of day that there is not */
function calendar({ at, days }: { at: string; days: Weekday[] }): CalendarSpec {
  const time = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(at);
  if (time === null) throw new UserError(`at: expected a time of day such as 22:30, found ${JSON.stringify(at)}`);
  const dayOfWeek = days.map((day) => dayNames[WEEKDAYS.indexOf(day)]!);
  return { hour: Number(time[1]), minute: Number(time[2]), ...(days.length > 0 && { dayOfWeek }) };
}

const timesText = (when: ScheduleTimes): string =>
  'cron' in when ? `cron ${when.cron}` : `${when.days.length === 0 ? 'every day' : when.days.join(', ')} at ${when.at}`;
