import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import { UserError } from '../catalog/user-error.ts';
import { checkBatchId } from '../store/index.ts';
import { ORCHESTRATOR_QUEUE, type ScheduledBatchInput } from '../workflows/contract.ts';
import type { scheduledBatch } from '../workflows/scheduled-batch.ts';
import { type BatchRequest, batchInput } from './batch-request.ts';
import type { BatchClient } from './connect.ts';

export type ScheduleRequest = BatchRequest & {
  /** Begins the id of every batch that it starts. */
  name: string;
  /** Five fields, or a macro such as `@daily`. */
  cron: string;
  /** Such as `Europe/Berlin`; UTC unless given. */
  timeZone?: string | undefined;
};

type ScheduleMemo = { catalog: string; store: string; cron: string; timeZone: string };

export type ScheduleListing = ScheduleMemo & {
  name: string;
  paused: boolean;
  /** The next times it is due, nearest first. */
  next: Date[];
};

const PREFIX = 'schedule/';
const scheduleId = (name: string): string => `${PREFIX}${name}`;

/** The longest a batch id may grow beyond a schedule's name. */
const TIME_SUFFIX = '-20260101T000000Z';

/**
 * Has a batch of a catalog started whenever the cron expression says. The catalog is read when the batch starts. A
 * batch that still runs when the next is due makes Temporal skip that one.
 *
 * @throws UserError for a name that is taken, a cron expression or time zone that Temporal does not accept
 */
export async function createSchedule(client: BatchClient, request: ScheduleRequest): Promise<void> {
  const { name, cron, timeZone = 'UTC' } = request;
  const { batch: _, round: __, ...input } = batchInput(request, `${checkBatchId(name)}${TIME_SUFFIX}`);
  const memo: ScheduleMemo = { catalog: input.source.url, store: input.store, cron, timeZone };
  try {
    await client.temporal.schedule.create({
      scheduleId: scheduleId(name),
      spec: { cronExpressions: [cron], timezone: timeZone },
      policies: { overlap: ScheduleOverlapPolicy.SKIP },
      memo,
      action: {
        type: 'startWorkflow',
        workflowType: 'scheduledBatch' satisfies typeof scheduledBatch.name,
        workflowId: scheduleId(name),
        taskQueue: ORCHESTRATOR_QUEUE,
        args: [{ ...input, schedule: name } satisfies ScheduledBatchInput],
        staticSummary: `Batches of ${input.source.url}`,
      },
    });
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning)
      throw new UserError(`schedule ${name} exists already: delete it first`);
    // What the SDK makes of a cron expression or time zone that the server refuses.
    if (error instanceof TypeError) {
      throw new UserError(`schedule ${name}: cron ${JSON.stringify(cron)} in ${timeZone}: ${error.message}`);
    }
    throw error;
  }
}

export async function* listSchedules(client: BatchClient): AsyncGenerator<ScheduleListing> {
  for await (const { scheduleId: id, memo, state, info } of client.temporal.schedule.list()) {
    if (!id.startsWith(PREFIX)) continue;
    yield {
      ...(memo as ScheduleMemo),
      name: id.slice(PREFIX.length),
      paused: state.paused,
      next: info.nextActionTimes,
    };
  }
}

/** Starts a batch of the schedule now, unless one of it runs. @throws UserError where there is no such schedule */
export const triggerSchedule = (client: BatchClient, name: string): Promise<void> =>
  aboutSchedule(name, () => client.temporal.schedule.getHandle(scheduleId(name)).trigger());

/** Batches that it has started go on. @throws UserError where there is no such schedule */
export const deleteSchedule = (client: BatchClient, name: string): Promise<void> =>
  aboutSchedule(name, () => client.temporal.schedule.getHandle(scheduleId(name)).delete());

async function aboutSchedule(name: string, call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw new UserError(`schedule ${name}: expected one of that name, found none. List the ones that there are.`);
  }
}
