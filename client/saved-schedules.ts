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

/** A schedule as its server keeps it: what the SDK makes of a description is not all that it is made of. */
export type RawSchedule = {
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

/** A schedule for safe-keeping: JSON that has the names of Temporal's API. */
export type SavedSchedule = { format: 1; name: string; schedule: unknown; memo: unknown };

const savedSchema = z.object({
  format: z.literal(1),
  name: z.string().min(1),
  schedule: z.record(z.string(), z.unknown()),
  memo: z.record(z.string(), z.unknown()),
});

/**
 * All schedules of batches, for safe-keeping: when they are due, what they start, their policies, whether they are paused. What they have done is
 * not among it.
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

/** What became of a saved schedule: one of its name is left as it is. */
export type ImportedSchedule = { name: string; outcome: 'created' | 'exists'; paused: boolean };

/**
 * Makes saved schedules again on a server. It starts what is due from now on; `backfill` starts what was due meanwhile. Each leaves an audit line in
 * the store of its batches.
 *
 * @param lines as exportSchedules gives them, each as JSON
 * @param file what messages call it
 * @throws UserError for the first line that is none of these; none is made then
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
      `${where}: expected a schedule as "npx pixart-batch schedule export" prints it, found another text`,
    );
  }
}

/** Of its batches; `unknown` where it does not say so, or that takes a key which is not there. */
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
