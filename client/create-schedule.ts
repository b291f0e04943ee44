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
  /** Name of the schedule; the ids of its batches begin with it. */
  name: string;
  when: ScheduleTimes;
  /** Such as `Europe/Berlin`; default: UTC. */
  timeZone?: string | undefined;
  /** What happens if a batch is still running when the next is due; default: `skip`. */
  overlap?: Overlap | undefined;
  /**
   * How long the server may catch up on times it missed because it was down; default: a year. If it missed several, `skip`
   * starts only the oldest, `wait-one` the two oldest.
   */
  catchUp?: Duration | undefined;
  /** Maximum random delay, so that not all schedules of a night start at once. */
  jitter?: Duration | undefined;
  /** Pauses once a whole batch has failed, which the server notices when the next is due. Not with `run-both`. */
  pauseOnFailure?: boolean | undefined;
};

/** What a schedule will do, according to its server. */
export type CreatedSchedule = ScheduleForecast;

/**
 * Creates a schedule that starts batches of a catalog. The catalog is read when a batch starts.
 *
 * @throws UserError for a name that is taken, times that do not exist or are ambiguous, or an unknown time zone
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

/** The schedule as the server stores it. @throws UserError for settings that the server would misunderstand */
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
      throw new UserError(`schedule ${name} already exists: change it with "schedule update"`);
    // The SDK's error for times or a time zone that the server refuses.
    if (error instanceof TypeError) {
      throw new UserError(`schedule ${name}: ${options.memo.when} in ${options.spec.timezone}: ${error.message}`);
    }
    throw error;
  }
}

/**
 * Checks what a batch of the schedule would do if it were due now: why it would fail, or how large it would be.
 *
 * @throws UserError for a request that could not start a batch
 */
export const scheduledCatalog = (request: ScheduleRequest): Promise<ScheduledCatalog> =>
  catalogNow(scheduledInput(request), installedBundle(request), request.catalog);

const scheduledInput = (request: ScheduleRequest): CatalogInput => batchInput(request, scheduledBatchId(request.name));
