import type { Client, ScheduleDescription } from '@temporalio/client';
import { batchIdAt } from '../../domain/batch-id.ts';
import { stateText } from '../../domain/state-text.ts';
import { zonedText } from '../../domain/time-zone.ts';
import { findManifestHead } from '../../records/manifest.ts';
import type { ObjectStore } from '../../store/index.ts';
import { batchWorkflowId, scheduleId } from '../../workflows/contract/queues.ts';
import { picturesText } from './batch-facts.ts';
import type { Fact } from './message.ts';

/** What a schedule is about to do, and what came of the batches that it started before. */
type Nights = { next: Fact[]; before: Fact[] };

/** As many as a week has. */
const NIGHTS = 7;

/**
 * Asks the server about a schedule, and the store what its last batches came to.
 *
 * @param batch the one that is told of, which is left out
 * @throws Error where the server or the store cannot be asked
 */
export async function scheduleNights(
  client: Client,
  store: ObjectStore,
  schedule: string,
  batch: string,
): Promise<Nights> {
  const description = await client.schedule.getHandle(scheduleId(schedule)).describe();
  const zone = zoneOf(description);
  const started = description.info.recentActions.slice(-NIGHTS - 1).toReversed();
  const nights = await Promise.all(started.map((action) => nightOf(client, action)));
  const before: Fact[] = [];
  for (const { at, state } of nights) {
    const id = batchIdAt(schedule, at);
    if (id === batch) continue;
    const head = await findManifestHead(store, id).catch(() => null);
    const totals = head?.totals;
    const ended = head?.state ?? (state === FAILED && (await isRefused(client, id)) ? 'refused' : state);
    const counts = totals === undefined ? '' : `, ${picturesText(totals)}`;
    before.push({
      label: zonedText(at, zone),
      value: `${stateText(ended, totals?.failed ?? 0)}${counts}`,
    });
  }
  return { next: nextFacts(description, zone), before: before.slice(0, NIGHTS) };
}

function nextFacts({ info, state }: ScheduleDescription, zone: string): Fact[] {
  const [next] = info.nextActionTimes;
  const { numActionsSkippedOverlap: overlap, numActionsMissedCatchupWindow: missed } = info;
  const left = [
    ...(overlap > 0 ? [`${overlap} because a batch was still running`] : []),
    ...(missed > 0 ? [`${missed} because their time had passed`] : []),
  ];
  return [
    {
      label: 'Next run',
      value: state.paused
        ? 'none while the schedule is paused'
        : next === undefined
          ? 'none'
          : `${zonedText(next, zone)} (${zone})`,
    },
    ...(left.length > 0 ? [{ label: 'Skipped so far', value: left.join(', ') }] : []),
  ];
}

/** The current zone, after an update; else the one it was created with; UTC if that cannot be read. */
function zoneOf({ memo, raw }: ScheduleDescription): string {
  const zone = raw.schedule?.spec?.timezoneName || memo?.timeZone;
  return typeof zone === 'string' ? zone : 'UTC';
}

const FAILED = 'failed';

const STATES: Record<string, string> = {
  RUNNING: 'running',
  COMPLETED: 'completed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
};

/** When a batch was due, by which it is called, and what its workflow says of it; the server may have forgotten it. */
async function nightOf(
  client: Client,
  { scheduledAt, action }: ScheduleDescription['info']['recentActions'][number],
): Promise<{ at: Date; state: string }> {
  const { workflowId, firstExecutionRunId } = action.workflow;
  try {
    const { status, searchAttributes } = await client.workflow.getHandle(workflowId, firstExecutionRunId).describe();
    const at = searchAttributes.TemporalScheduledStartTime?.[0];
    return { at: at instanceof Date ? at : scheduledAt, state: STATES[status.name] ?? FAILED };
  } catch {
    return { at: scheduledAt, state: 'no longer on the server' };
  }
}

/** A batch that a limit has kept from being planned fails, and says so itself. */
async function isRefused(client: Client, batch: string): Promise<boolean> {
  const found = await client.workflow
    .getHandle(batchWorkflowId(batch))
    .describe()
    .catch(() => null);
  return found?.memo?.state === 'refused';
}
