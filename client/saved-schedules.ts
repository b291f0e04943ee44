import { randomUUID } from 'node:crypto';
import proto, { type temporal } from '@temporalio/proto';
import { z } from 'zod';
import { GRPC } from '../connection/grpc.ts';
import { UserError } from '../domain/user-error.ts';
import { rawValue } from '../encryption/raw-payloads.ts';
import type { ScheduledBatchInput } from '../workflows/contract/batch.ts';
import { scheduleId } from '../workflows/contract/queues.ts';
import { auditedControl } from './audited-control.ts';
import type { BatchClient } from './connect.ts';
import { isOurs, scheduleName } from './schedules.ts';
import { grpcCause, serverTrouble } from './server-trouble.ts';

const { Schedule } = proto.temporal.api.schedule.v1;
const { Memo } = proto.temporal.api.common.v1;

/** A schedule as its server stores it: the SDK's description leaves parts of it out. */
type RawSchedule = {
  schedule: temporal.api.schedule.v1.ISchedule;
  memo: temporal.api.common.v1.IMemo;
};

export async function readRawSchedule({ temporal, namespace }: BatchClient, scheduleId: string): Promise<RawSchedule> {
  const { schedule, memo } = await temporal.workflowService.describeSchedule({ namespace, scheduleId });
  return { schedule: schedule ?? {}, memo: memo ?? {} };
}

export async function makeRawSchedule(
  { temporal, namespace }: BatchClient,
  scheduleId: string,
  raw: RawSchedule,
): Promise<void> {
  await temporal.workflowService.createSchedule({ namespace, scheduleId, ...raw, requestId: randomUUID() });
}

/** A schedule as a backup: JSON with the names of Temporal's API. */
export type SavedSchedule = { format: 1; name: string; schedule: unknown; memo: unknown };

const savedSchema = z.object({
  format: z.literal(1),
  name: z.string().min(1),
  schedule: z.record(z.string(), z.unknown()),
  memo: z.record(z.string(), z.unknown()),
});

/**
 * All schedules of batches, to back them up: their times, actions and policies, and whether they are paused, but not their
 * history.
 *
 * @throws ServerUnreachable
 */
export async function* exportSchedules(client: BatchClient): AsyncGenerator<SavedSchedule> {
  try {
    for await (const { scheduleId } of client.temporal.schedule.list()) {
      if (!isOurs(scheduleId)) continue;
      const { schedule, memo } = await readRawSchedule(client, scheduleId);
      const json = { schedule: Schedule.fromObject(schedule).toJSON(), memo: Memo.fromObject(memo).toJSON() };
      yield { format: 1, name: scheduleName(scheduleId), ...json };
    }
  } catch (error) {
    throw serverTrouble(client, error) ?? error;
  }
}

/** The outcome for a saved schedule: an existing one of the same name is left as it is. */
export type ImportedSchedule = { name: string; outcome: 'created' | 'exists'; paused: boolean };

/**
 * Recreates saved schedules on a server. They start what is due from now on; `backfill` starts what was due in the meantime.
 * Each leaves an audit line in the store of its batches.
 *
 * @param lines values from exportSchedules, each as JSON
 * @param file its name in messages
 * @throws UserError for the first invalid line; no schedule is created then
 */
export async function importSchedules(
  client: BatchClient,
  lines: readonly string[],
  file: string,
): Promise<ImportedSchedule[]> {
  const saved = lines.map((line, at) => parsed(line, `${file}, line ${at + 1}`));
  const imported: ImportedSchedule[] = [];
  for (const { name, raw } of saved) {
    const paused = raw.schedule.state?.paused ?? false;
    const action = { action: 'schedule-import' as const, schedule: name };
    const outcome = await auditedControl(client, await storeOf(client, raw), action, async (tell) => {
      const outcome = (await isCreated(client, name, raw)) ? 'created' : 'exists';
      tell({ outcome });
      return outcome;
    });
    imported.push({ name, paused, outcome });
  }
  return imported;
}

function parsed(line: string, where: string): { name: string; raw: RawSchedule } {
  try {
    const { name, schedule, memo } = savedSchema.parse(JSON.parse(line));
    return { name, raw: { schedule: Schedule.fromObject(schedule), memo: Memo.fromObject(memo) } };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError || error instanceof TypeError)) throw error;
    throw new UserError(
      `${where}: expected a schedule as "npx pixart-batch schedule export" prints it, found something else`,
    );
  }
}

/** The store of its batches; `unknown` if the schedule does not say, or the key to read it is missing. */
async function storeOf({ listings }: BatchClient, { schedule, memo }: RawSchedule): Promise<string> {
  const [input] = schedule.action?.startWorkflow?.input?.payloads ?? [];
  const started = input && (await rawValue<Partial<ScheduledBatchInput>>(listings, input));
  if (typeof started?.store === 'string') return started.store;
  const payload = memo.fields?.store;
  const store = payload && (await rawValue(listings, payload));
  return typeof store === 'string' ? store : 'unknown';
}

async function isCreated(client: BatchClient, name: string, raw: RawSchedule): Promise<boolean> {
  try {
    await makeRawSchedule(client, scheduleId(name), raw);
    return true;
  } catch (error) {
    if (grpcCause(error) === GRPC.ALREADY_EXISTS) return false;
    throw serverTrouble(client, error) ?? error;
  }
}
