import type { BatchClient } from '../../client/index.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';

/** The times of a batch's events, in milliseconds since 1970. */
export type Timeline = {
  started: number;
  planned: number;
  firstImage: number;
  lastImage: number;
  receipts: number;
  manifest: number;
  contactSheet: number;
  ended: number;
};

type Handle = ReturnType<BatchClient['temporal']['workflow']['getHandle']>;
type Event = NonNullable<Awaited<ReturnType<Handle['fetchHistory']>>['events']>[number];

export type Told = {
  times: Timeline;
  /** Workflow tasks, and events in total: what a batch costs the server and orchestrator regardless of other load. */
  workflowTasks: number;
  events: number;
};

/** Reads the histories of a completed batch and its shards. */
export async function histories(client: BatchClient, batch: string): Promise<Told> {
  const own = await historyOf(client, batchWorkflowId(batch));
  const shards = own
    .map((event) => event.startChildWorkflowExecutionInitiatedEventAttributes)
    .filter((child) => child?.workflowType?.name === 'renderShard')
    .map((child) => child!.workflowId!);
  const events = [own, ...(await Promise.all(shards.map((id) => historyOf(client, id))))];
  const all = events.flatMap(activitiesOf);
  const images = all.filter(({ type }) => type === 'renderImage');
  const endOf = (wanted: string): number =>
    Math.max(...all.filter(({ type }) => type === wanted).map(({ end }) => end));
  const times = {
    started: millisecondsOf(own[0]!),
    planned: endOf('planBatch'),
    firstImage: Math.min(...images.map(({ start }) => start)),
    lastImage: endOf('renderImage'),
    receipts: endOf('writeReceipts'),
    manifest: endOf('writeManifest'),
    contactSheet: endOf('writeContactSheet'),
    ended: millisecondsOf(own.at(-1)!),
  };
  const tasks = events.flat().filter((event) => event.workflowTaskCompletedEventAttributes != null);
  return { times, workflowTasks: tasks.length, events: events.flat().length };
}

type Activity = { type: string; start: number; end: number };

async function historyOf({ temporal }: BatchClient, workflowId: string): Promise<Event[]> {
  const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory();
  return events ?? [];
}

/** When successful attempts started and ended. */
function activitiesOf(events: Event[]): Activity[] {
  const byId = new Map(events.map((event) => [String(event.eventId), event]));
  const ends = events.filter((event) => event.activityTaskCompletedEventAttributes != null);
  return ends.map((end) => {
    const { scheduledEventId, startedEventId } = end.activityTaskCompletedEventAttributes!;
    const scheduled = byId.get(String(scheduledEventId))!.activityTaskScheduledEventAttributes!;
    const start = millisecondsOf(byId.get(String(startedEventId))!);
    return { type: scheduled.activityType!.name!, start, end: millisecondsOf(end) };
  });
}

const millisecondsOf = ({ eventTime }: Event): number =>
  1_000 * Number(eventTime!.seconds) + Number(eventTime!.nanos) / 1e6;
