import type { Retrying } from '../../client/index.ts';
import { oneLine } from '../../domain/printable.mjs';
import { clockText, count } from './text.ts';

/** The steps of a batch, by the activities that perform them. */
const STEPS = new Map(
  Object.entries({
    planBatch: 'planning',
    readShard: 'reading the plan',
    matchJobs: 'looking for rows',
    encodeCaptions: 'encoding texts',
    encodersSeen: 'asking which workers encode texts',
    activitiesInHand: 'asking what workers are working on',
    writeReceipts: 'writing receipts',
    writeManifest: 'writing the manifest',
    writeContactSheet: 'making the contact sheet',
  }),
);

/** `writing the manifest: waiting for the store since 03:12 UTC, 5 attempts so far: … (503); gives up at 2026-01-31 03:12 UTC` */
export function waitingText(trouble: Retrying, now: Date): string {
  const { activity, count: pending, attempts, since, givesUpAt } = trouble;
  const clock = (time: Date): string => clockText(now, (time.getTime() - now.getTime()) / 1_000);
  const begun = since === null ? '' : ` since ${clock(since)}`;
  const tried = attempts > 0 ? `, ${count(attempts, 'attempt')} so far` : '';
  const end = givesUpAt === null ? '' : `; gives up at ${clock(givesUpAt)}`;
  return `${what(activity, pending)} ${held(trouble)}${begun}${tried}: ${oneLine(trouble.reason)}${end}`;
}

/** What is counted, by activity or workflow; anything else is a step. */
const COUNTED = new Map([
  ['renderImage', 'image'],
  ['renderShard', 'shard'],
]);

const what = (activity: string, pending: number): string =>
  COUNTED.has(activity)
    ? count(pending, COUNTED.get(activity)!)
    : `${STEPS.get(activity) ?? activity}${pending > 1 ? ` (${pending} times)` : ''}:`;

function held({ activity, waitsForStore, isPaused }: Retrying): string {
  if (activity === 'renderShard') return 'lost';
  if (isPaused) return 'paused in Temporal (unpause there)';
  return waitsForStore ? 'waiting for the store' : 'being retried';
}
