import { existsSync } from 'node:fs';
import { type CalendarSpec, ScheduleAlreadyRunning, type ScheduleOptions } from '@temporalio/client';
import type { Duration } from '@temporalio/common';
import { batchIdAt } from '../domain/batch-id.ts';
import { knownTimeZone } from '../domain/time-zone.ts';
import { ServerUnreachable, UserError } from '../domain/user-error.ts';
import { checkBatchId } from '../records/layout.ts';
import { shownPlace } from '../store/index.ts';
import type { ScheduledBatchInput } from '../workflows/contract/batch.ts';
import { fileName } from '../workflows/contract/batch-start.ts';
import { plain } from '../workflows/contract/markdown.ts';
import { ORCHESTRATOR_QUEUE } from '../workflows/contract/queues.ts';
import type { Workflows } from '../workflows/contract/workflows.ts';
import { auditedControl } from './audited-control.ts';
import { type ClockChange, clockChanges } from './clock-changes.ts';
import type { BatchClient } from './connect.ts';
import { checkedCron, DAYS, unevenSteps } from './cron.ts';
import { dueTimes } from './describe-schedule.ts';
import { type BatchRequest, batchInput, type CatalogInput, installedBundle } from './request.ts';
import { type CheckedCatalog, readRequestedCatalog, summaryOf } from './requested-catalog.ts';
import { aboutSchedule, OVERLAPS, type Overlap, type ScheduleMemo, scheduleId } from './schedules.ts';
import { serverTrouble } from './server-trouble.ts';

export type ScheduleRequest = BatchRequest & {
  /** Begins the id of every batch that it starts. */
  name: string;
  when: ScheduleTimes;
  /** Such as `Europe/Berlin`; UTC unless given. */
  timeZone?: string | undefined;
  /** What happens where a batch still runs when the next is due; `skip` unless given. */
  overlap?: Overlap | undefined;
  /**
   * Times that were missed, because the server was down, are made up for within so long; a year unless given. Of several that were missed
   * `skip` starts the oldest only, `wait-one` the two oldest.
   */
  catchUp?: Duration | undefined;
  /** Up to so much later, by chance: not all schedules of a night at once. */
  jitter?: Duration | undefined;
  /** Starts no more once a batch has failed as a whole, which the server notices when the next is due. Not with `run-both`. */
  pauseOnFailure?: boolean | undefined;
};

/** A cron expression of five fields or a macro such as `@daily`; or a time of day, `22:30`, on some days of the week. */
export type ScheduleTimes = { cron: string } | { at: string; days: Weekday[] };

/** What a schedule will do, as the server that keeps it tells. */
export type CreatedSchedule = {
  /** The next times it is due, nearest first. */
  next: Date[];
  timeZone: string;
  /** What the changes of its zone's clocks within a year do to it, where that is not what one expects. */
  clockChanges: ClockChange[];
  /** Steps of its cron expression that do not divide the hour, day or month that they step through, in words. */
  uneven: string[];
};

export const WEEKDAYS = DAYS;

export type Weekday = (typeof WEEKDAYS)[number];

/**
 * Has a batch of a catalog started at times. The catalog is read when the batch starts.
 *
 * @throws UserError for a name that is taken, times that there are not or that are read in more than one way, or a time zone that there is not
 * @throws ServerUnreachable
 * @example
 * ```js
 * import { bundleRef, chosenBundle, connect, createSchedule, deleteSchedule, describeSchedule } from 'pixart-batch';
 *
 * const client = await connect();
 * const { next } = await createSchedule(client, {
 *   name: 'nightly',
 *   when: { at: '22:00', days: ['monday', 'friday'] },
 *   timeZone: 'Europe/Berlin',
 *   catalog: 'catalog.csv',
 *   store: 'out',
 *   bundle: bundleRef(await chosenBundle('pixart-icons')),
 * });
 * console.log(next[0], (await describeSchedule(client, 'nightly')).overlap);
 * await deleteSchedule(client, 'nightly');
 * await client.close();
 * ```
 */
export async function createSchedule(client: BatchClient, request: ScheduleRequest): Promise<CreatedSchedule> {
  const { name } = request;
  const options = scheduleOptions(request);
  const { catalog, store, when, timeZone, overlap } = options.memo;
  const [{ bundle }] = options.action.args;
  const details = { catalog: shownPlace(catalog), bundle: bundle.name, when, timeZone, overlap };
  await aboutSchedule(client, name, () =>
    auditedControl(client, store, { action: 'schedule-create', schedule: name, details }, () =>
      setSchedule(client, name, options),
    ),
  );
  try {
    return await whatItWillDo(client, options);
  } catch (error) {
    const trouble = serverTrouble(client, error);
    throw trouble === null ? error : new ServerUnreachable(`schedule ${name} is set, but ${trouble.message}`);
  }
}

type Options = ReturnType<typeof scheduleOptions>;

/** What the server is asked to keep. @throws UserError for what it would take otherwise than it is meant */
function scheduleOptions(request: ScheduleRequest) {
  const { name, overlap = 'skip', catchUp, jitter, pauseOnFailure = false } = request;
  const { batch: _, round: __, ...input } = scheduledInput(request);
  const when = 'cron' in request.when ? { cron: checkedCron(request.when.cron) } : request.when;
  const timezone = knownTimeZone(request.timeZone ?? 'UTC');
  if (pauseOnFailure && overlap === 'run-both') {
    throw new UserError(
      'pause on failure: expected another overlap than run-both, with which the server does not watch how batches end',
    );
  }
  return {
    scheduleId: scheduleId(name),
    spec: {
      ...('cron' in when ? { cronExpressions: [when.cron] } : { calendars: [calendar(when)] }),
      timezone,
      ...(jitter !== undefined && { jitter }),
    },
    policies: {
      overlap: OVERLAPS[overlap],
      pauseOnFailure,
      ...(catchUp !== undefined && { catchupWindow: catchUp }),
    },
    memo: {
      catalog: input.source.url,
      store: input.store,
      when: timesText(when),
      timeZone: timezone,
      overlap,
    } satisfies ScheduleMemo,
    action: {
      type: 'startWorkflow',
      workflowType: 'scheduledBatch' satisfies keyof Workflows,
      workflowId: scheduleId(name),
      taskQueue: ORCHESTRATOR_QUEUE,
      args: [{ ...input, schedule: name }] satisfies [ScheduledBatchInput],
      staticSummary: `Batches of ${plain(fileName(input.source.url))}`,
    },
  } satisfies ScheduleOptions;
}

async function setSchedule(client: BatchClient, name: string, options: Options): Promise<void> {
  try {
    await client.temporal.schedule.create(options);
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning)
      throw new UserError(`schedule ${name} exists already: delete it first`);
    // What the SDK makes of times or a time zone that the server refuses.
    if (error instanceof TypeError) {
      throw new UserError(`schedule ${name}: ${options.memo.when} in ${options.spec.timezone}: ${error.message}`);
    }
    throw error;
  }
}

const YEAR_MS = 366 * 86_400_000;

async function whatItWillDo(client: BatchClient, { scheduleId, spec }: Options): Promise<CreatedSchedule> {
  const { spec: kept, info } = await client.temporal.schedule.getHandle(scheduleId).describe();
  const from = new Date();
  const changes = await clockChanges({
    ...{ calendars: kept.calendars ?? [], timeZone: spec.timezone, jitterMs: kept.jitter ?? 0 },
    due: (start, end) => dueTimes(client, scheduleId, start, end),
    ...{ from, to: new Date(+from + YEAR_MS) },
  });
  const uneven = 'cronExpressions' in spec ? spec.cronExpressions.flatMap(unevenSteps) : [];
  return { next: info.nextActionTimes, timeZone: spec.timezone, clockChanges: changes, uneven };
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

/** @throws UserError for a time of day that there is not */
function calendar({ at, days }: { at: string; days: Weekday[] }): CalendarSpec {
  const time = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(at);
  if (time === null) throw new UserError(`at: expected a time of day such as 22:30, found ${JSON.stringify(at)}`);
  const dayOfWeek = days.map((day) => day.toUpperCase() as Uppercase<Weekday>);
  return { hour: Number(time[1]), minute: Number(time[2]), ...(days.length > 0 && { dayOfWeek }) };
}

const timesText = (when: ScheduleTimes): string =>
  'cron' in when ? `cron ${when.cron}` : `${when.days.length === 0 ? 'every day' : when.days.join(', ')} at ${when.at}`;
