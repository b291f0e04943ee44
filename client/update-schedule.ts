import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScheduleDescription, ScheduleHandle } from '@temporalio/client';
import { encodeScheduleOverlapPolicy } from '@temporalio/client/lib/schedule-types.js';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { temporal } from '@temporalio/proto';
import type { AtMost } from '../domain/at-most.ts';
import { ServerUnreachable, UserError } from '../domain/user-error.ts';
import { rawPayload } from '../encryption/raw-payloads.ts';
import { scheduleSummary } from '../workflows/contract/batch-start.ts';
import { changedSchedule, type ScheduleChange } from './changed-schedule.ts';
import type { BatchClient } from './connect.ts';
import { type ChangedSetting, differencesOf, type KeptSchedule, keptSchedule } from './kept-schedule.ts';
import { type ScheduleForecast, scheduleForecast } from './schedule-forecast.ts';
import { type CheckedTimes, withComment } from './schedule-times.ts';
import { catalogNow, checkPaceIsKnown, type ScheduledCatalog } from './scheduled-catalog.ts';
import { OVERLAPS, orderSchedule, scheduledBatchId } from './schedules.ts';

export type UpdatedSchedule = ScheduleForecast & {
  /** What has changed; empty if the settings were the same before. */
  changes: ChangedSetting[];
  /** The check of the catalog, as it will be read from now on. */
  catalog: ScheduledCatalog;
  /** The limits of each of its batches from now on. */
  atMost?: AtMost | undefined;
};

/** How often to retry a change if someone else's came first. */
const ATTEMPTS = 5;

/**
 * Changes only the given settings of a schedule: its history, its notes, and whether it is paused stay. Running batches are
 * not affected.
 *
 * @throws UserError if there is no such schedule, or the change is impossible, would never start anything, or would make
 *   every batch fail, as far as a catalog on this machine shows; nothing is changed then
 * @throws ServerUnreachable
 * @example
 * ```js
 * import { bundleRef, chosenBundle, connect, createSchedule, deleteSchedule, updateSchedule } from 'pixart-batch';
 *
 * const client = await connect();
 * const bundle = bundleRef(await chosenBundle('pixart-icons'));
 * await createSchedule(client, { name: 'evening', when: { at: '22:00', days: [] }, catalog: 'catalog.csv', store: 'out', bundle });
 * const { changes } = await updateSchedule(client, 'evening', {
 *   when: { at: '23:00', days: [] },
 *   defaults: { format: 'webp' },
 *   webhook: null,
 * });
 * for (const { setting, before, after } of changes) console.log(setting, before, after);
 * await deleteSchedule(client, 'evening');
 * await client.close();
 * ```
 */
export function updateSchedule(client: BatchClient, name: string, change: ScheduleChange): Promise<UpdatedSchedule> {
  const named = Object.entries(change).filter(([, value]) => value !== undefined);
  if (named.length === 0) throw new UserError(`schedule ${name}: expected something to change, found nothing`);
  const details = { changed: named.map(([key]) => key).join(' ') };
  return orderSchedule(client, name, { action: 'schedule-update', details }, async (handle, description) => {
    let current = description;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const { wanted, times } = changedSchedule(keptSchedule(name, current), change);
      const changes = differencesOf(keptSchedule(name, current), wanted);
      const catalog = await checked(client, wanted, change);
      if (changes.length > 0) {
        await send(client, current, wanted, times);
        current = await answered(client, handle, current);
      }
      const left = differencesOf(keptSchedule(name, current), wanted).map(({ setting }) => setting);
      if (changes.some(({ setting }) => left.includes(setting))) continue;
      return {
        ...(await scheduleForecast(client, current, wanted.timeZone, times?.cron)),
        changes,
        catalog,
        atMost: wanted.input.atMost,
      };
    }
    throw new UserError(
      `schedule ${name}: others changed it at the same time, ${ATTEMPTS} times in a row. Look at it with "describe", and try again`,
    );
  });
}

/** Options about what is read, and how. */
const OF_CATALOGS = ['catalog', 'format', 'columns', 'sheet', 'naming', 'expansion', 'defaults', 'bundle'] as const;

/** @throws UserError if no batch would ever be started */
async function checked(client: BatchClient, wanted: KeptSchedule, change: ScheduleChange): Promise<ScheduledCatalog> {
  const input = { ...wanted.input, batch: scheduledBatchId(wanted.input.schedule), round: 1 };
  if (change.atMost || change.store || change.bundle) await checkPaceIsKnown(input, client.warn);
  const { bundle } = change;
  const catalog = await catalogNow(input, bundle && 'folder' in bundle ? bundle : null);
  const { trouble } = catalog;
  const isAboutIt = OF_CATALOGS.some((key) => change[key] !== undefined);
  if (isAboutIt && trouble instanceof UserError) {
    throw new UserError(`${trouble.message}\nNothing is changed: every batch would fail with this.`);
  }
  return catalog;
}

type Schedule = temporal.api.schedule.v1.ISchedule;

/** The SDK's own update omits the token that tells the server which version the change is based on. */
async function send(
  client: BatchClient,
  { scheduleId, raw }: ScheduleDescription,
  wanted: KeptSchedule,
  times: CheckedTimes | null,
): Promise<void> {
  await client.temporal.workflowService.updateSchedule({
    namespace: client.namespace,
    scheduleId,
    schedule: await rawSchedule(client, raw.schedule ?? {}, wanted, times),
    conflictToken: raw.conflictToken ?? null,
    identity: client.temporal.options.identity,
    requestId: randomUUID(),
  });
}

/** The server's version with the changes applied: an update replaces the whole schedule. */
async function rawSchedule(
  { temporal }: BatchClient,
  kept: Schedule,
  wanted: KeptSchedule,
  times: CheckedTimes | null,
): Promise<Schedule> {
  const { input, timeZone, overlap, catchUpMs, jitterMs, pauseOnFailure } = wanted;
  const [arg, summary] = await Promise.all([rawPayload(temporal, input), rawPayload(temporal, scheduleSummary(input))]);
  const { spec, action, policies } = kept;
  return {
    ...kept,
    spec: {
      ...spec,
      ...(times !== null && { structuredCalendar: [], interval: [], cronString: [withComment(times)] }),
      ...{ timezoneName: timeZone, timezoneData: new Uint8Array(), jitter: msToTs(jitterMs) },
    },
    action: {
      ...action,
      startWorkflow: {
        ...action?.startWorkflow,
        input: { payloads: [arg] },
        userMetadata: { ...action?.startWorkflow?.userMetadata, summary },
      },
    },
    policies: {
      ...policies,
      ...{ overlapPolicy: encodeScheduleOverlapPolicy(OVERLAPS[overlap]) ?? null, pauseOnFailure },
      catchupWindow: msToTs(catchUpMs),
    },
  };
}

const TAKEN_WITHIN_MS = 10_000;
const PAUSE_MS = 100;

/**
 * The schedule once the server has applied this change, or another one. The server accepts a change based on an old version,
 * and then drops it (servers 1.29 and 1.32, findings/temporal-stale-update-is-dropped.sh), so look at the result.
 *
 * @throws ServerUnreachable if it has applied neither
 */
async function answered(
  { address }: BatchClient,
  handle: ScheduleHandle,
  before: ScheduleDescription,
): Promise<ScheduleDescription> {
  const token = ({ raw }: ScheduleDescription): string => Buffer.from(raw.conflictToken ?? []).toString('hex');
  for (const deadline = Date.now() + TAKEN_WITHIN_MS; Date.now() < deadline; await sleep(PAUSE_MS)) {
    const now = await handle.describe();
    if (token(now) !== token(before)) return now;
  }
  throw new ServerUnreachable(
    `the Temporal server at ${address} has not applied the change yet: "describe" shows when it has`,
  );
}
