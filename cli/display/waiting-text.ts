import type { Retrying } from '../../client/index.ts';
import { oneLine } from '../../domain/printable.mjs';
import { clockText, count } from './text.ts';

/** A batch's own steps, by the activities that do them. */
const STEPS = new Map(
  Object.entries({
    planBatch: 'planning',
    readShard: 'reading the plan',
    matchJobs: 'looking for rows',
    encodeCaptions: 'encoding texts',
    encodersSeen: 'asking which workers encode texts',
    activitiesInHand: 'asking what workers have in hand',
    writeReceipts: 'writing receipts',
    writeManifest: 'writing the manifest',
    writeContactSheet: 'making the contact sheet',
  }),
);

/** `writing the manifest: waits for the store since 03:12 UTC, 5 attempts so far: … (503); gives up at 2026-01-31 03:12 UTC` */
export function waitingText(trouble: Retrying, now: Date): string {
  const { activity, count: pending, attempts, since, givesUpAt } = trouble;
  const clock = (time: Date): string => clockText(now, (time.getTime() - now.getTime()) / 1_000);
  const begun = since === null ? '' : ` since ${clock(since)}`;
  const tried = attempts > 0 ? `, ${count(attempts, 'attempt')} so far` : '';
  const end = givesUpAt === null ? '' : `; gives up at ${clock(givesUpAt)}`;
  return `${what(activity, pending)} ${held(trouble)}${begun}${tried}: ${oneLine(trouble.reason)}${end}`;
}

const what = (activity: string, pending: number): string =>
  activity === 'renderImage'
    ? count(pending, 'image')
    : `${STEPS.get(activity) ?? activity}${pending > 1 ? ` (${pending} times)` : ''}:`;

function held({ activity, count: pending, waitsForStore, isPaused }: Retrying): string {
  const are = activity === 'renderImage' && pending > 1;
  if (isPaused) return `${are ? 'are' : 'is'} paused in Temporal (unpause ${are ? 'them' : 'it'} there)`;
  if (waitsForStore) return are ? 'wait for the store' : 'waits for the store';
  return are ? 'are tried again' : 'is tried again';
}
