import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScheduleDescription, ScheduleHandle } from '@temporalio/client';
import { encodeScheduleOverlapPolicy } from '@temporalio/client/lib/schedule-types.js';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { temporal } from '@temporalio/proto';
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
  /** What is otherwise now; empty where it was so already. */
  changes: ChangedSetting[];
  /** Of the catalog as it is to be read from now on. */
  catalog: ScheduledCatalog;
};

/** How often a change is made anew because somebody else was quicker. */
const ATTEMPTS = 5;

/**
 * Changes what is named about a schedule, and nothing else: its history, its notes, and whether it is paused stay. Batches that run go on as they are.
 *
 * @throws UserError where there is no such schedule, or the change cannot be, would never start anything, or has every batch of a catalog fail that
 *   lies on this machine; nothing is changed then
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
      return { ...(await scheduleForecast(client, current, wanted.timeZone, times?.cron)), changes, catalog };
    }
    throw new UserError(
      `schedule ${name}: others change it at the same time, and were quicker ${ATTEMPTS} times. Look at it with "describe", and try again`,
    );
  });
}

/** Options that say what is read, and how. */
const OF_CATALOGS = ['catalog', 'format', 'columns', 'sheet', 'naming', 'expansion', 'defaults', 'bundle'] as const;

/** @throws UserError where no batch would ever be started */
async function checked(client: BatchClient, wanted: KeptSchedule, change: ScheduleChange): Promise<ScheduledCatalog> {
  const input = { ...wanted.input, batch: scheduledBatchId(wanted.input.schedule), round: 1 };
  if (change.atMost || change.store || change.bundle) await checkPaceIsKnown(input, client.warn);
  const { bundle } = change;
  const catalog = await catalogNow(input, bundle && 'folder' in bundle ? bundle : null);
  const { trouble } = catalog;
  const isAboutIt = OF_CATALOGS.some((key) => change[key] !== undefined);
  if (isAboutIt && trouble instanceof UserError) {
    throw new UserError(`${trouble.message}\nNothing is changed: with that every batch would fail.`);
  }
  return catalog;
}

type Schedule = temporal.api.schedule.v1.ISchedule;

/** The SDK's own update does without the token that tells the server what was looked at. */
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

/** What the server has, but for what may have changed: it replaces all of a schedule. */
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
 * The schedule once the server has taken the change, or another. It says "done" also to a change of what is not so any more, and drops it (servers 1.29 and
 * 1.32, findings/temporal-stale-update-is-dropped.sh): only a look tells.
 *
 * @throws ServerUnreachable where it has taken neither
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
    `the Temporal server at ${address} has not taken the change yet: "describe" shows when it has`,
  );
}
