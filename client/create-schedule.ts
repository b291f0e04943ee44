import { ScheduleAlreadyRunning, type ScheduleOptions } from '@temporalio/client';
import type { Duration } from '@temporalio/common';
import { knownTimeZone } from '../domain/time-zone.ts';
import { ServerUnreachable, UserError } from '../domain/user-error.ts';
import { shownPlace } from '../store/index.ts';
import type { ScheduledBatchInput } from '../workflows/contract/batch.ts';
import { scheduleSummary } from '../workflows/contract/batch-start.ts';
import { ORCHESTRATOR_QUEUE, scheduleId } from '../workflows/contract/queues.ts';
import type { Workflows } from '../workflows/contract/workflows.ts';
import { auditedControl } from './audited-control.ts';
import type { BatchClient } from './connect.ts';
import { type BatchRequest, batchInput, type CatalogInput, installedBundle } from './request.ts';
import { type ScheduleForecast, scheduleForecast } from './schedule-forecast.ts';
import { checkedTimes, type ScheduleTimes, withComment } from './schedule-times.ts';
import { catalogNow, checkPaceIsKnown, type ScheduledCatalog } from './scheduled-catalog.ts';
import {
  aboutSchedule,
  checkPolicies,
  OVERLAPS,
  type Overlap,
  type ScheduleMemo,
  scheduledBatchId,
} from './schedules.ts';
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

/** What a schedule will do, as the server that keeps it tells. */
export type CreatedSchedule = ScheduleForecast;

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
  await checkPaceIsKnown(options.action.args[0], client.warn);
  const { catalog, store, when, timeZone, overlap } = options.memo;
  const [{ bundle }] = options.action.args;
  const details = { catalog: shownPlace(catalog), bundle: bundle.name, when, timeZone, overlap };
  await aboutSchedule(client, name, () =>
    auditedControl(client, store, { action: 'schedule-create', schedule: name, details }, () =>
      setSchedule(client, name, options),
    ),
  );
  try {
    const description = await client.temporal.schedule.getHandle(options.scheduleId).describe();
    return await scheduleForecast(client, description, options.spec.timezone, checkedTimes(request.when).cron);
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
  const when = checkedTimes(request.when);
  const timezone = knownTimeZone(request.timeZone ?? 'UTC');
  checkPolicies({ overlap, pauseOnFailure });
  return {
    scheduleId: scheduleId(name),
    spec: {
      cronExpressions: [withComment(when)],
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
      when: when.text,
      timeZone: timezone,
      overlap,
    } satisfies ScheduleMemo,
    action: {
      type: 'startWorkflow',
      workflowType: 'scheduledBatch' satisfies keyof Workflows,
      workflowId: scheduleId(name),
      taskQueue: ORCHESTRATOR_QUEUE,
      args: [{ ...input, schedule: name }] satisfies [ScheduledBatchInput],
      staticSummary: scheduleSummary(input),
    },
  } satisfies ScheduleOptions;
}

async function setSchedule(client: BatchClient, name: string, options: Options): Promise<void> {
  try {
    await client.temporal.schedule.create(options);
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning)
      throw new UserError(`schedule ${name} exists already: "schedule update" changes it`);
    // What the SDK makes of times or a time zone that the server refuses.
    if (error instanceof TypeError) {
      throw new UserError(`schedule ${name}: ${options.memo.when} in ${options.spec.timezone}: ${error.message}`);
    }
    throw error;
  }
}

/**
 * What would make a schedule's batch fail if it were due now, or else what it would come to.
 *
 * @throws UserError for a request that no batch could be started from
 */
export const scheduledCatalog = (request: ScheduleRequest): Promise<ScheduledCatalog> =>
  catalogNow(scheduledInput(request), installedBundle(request), request.catalog);

const scheduledInput = (request: ScheduleRequest): CatalogInput => batchInput(request, scheduledBatchId(request.name));
