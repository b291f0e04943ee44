import type { WorkersSeen } from '../../client/workers-seen.ts';
import type { BatchProgress } from '../../workflows/contract/progress.ts';
import { outcomeText, settled, sizesOf } from './progress-text.ts';
import { lackOfWorkers, needsWorkers, openSizes } from './worker-watch.ts';

/** What is known besides the batch's own progress. */
export type Surroundings = {
  /** Images a second; `null` where not known yet. */
  perSecond: number | null;
  /** Until the last image, at the pace of each size; `null` where not known yet. */
  secondsLeft: number | null;
  now: Date;
  workers: WorkersSeen | null;
};

const BAR = 30;

/** A batch on a terminal: a headline, a bar for each size, the workers, and the last failures. */
export function liveView(progress: BatchProgress, around: Surroundings): string[] {
  return [
    headline(progress, around),
    ...sizesOf(progress).map(([size, counts]) => {
      const done = settled(counts);
      const numbers = `${done}/${counts.jobs}`.padStart(String(counts.jobs).length * 2 + 1);
      return `${size.padStart(6)} px ${bar(done, counts.jobs)} ${numbers}  ${outcomeText(counts)}`;
    }),
    ...(progress.paused === undefined ? [] : [`  paused: ${oneLine(progress.paused)}`]),
    ...workerLines(progress, around.workers),
    ...failureLines(progress),
  ];
}

function headline({ batch, state, totals }: BatchProgress, { perSecond, secondsLeft, now }: Surroundings): string {
  if (state === 'planning') return `${batch}  planning`;
  const done = `${settled(totals)} of ${totals.jobs} images`;
  if (state !== 'rendering') return `${batch}  ${state}  ${done}`;
  const rate = perSecond === null ? [] : [rateText(perSecond)];
  const end = secondsLeft === null ? [] : [endText(now, secondsLeft)];
  return [batch, state, done, ...rate, ...end].join('  ');
}

function bar(done: number, jobs: number): string {
  const full = jobs === 0 ? BAR : Math.floor((done / jobs) * BAR);
  return '█'.repeat(full) + '░'.repeat(BAR - full);
}

function workerLines(progress: BatchProgress, workers: WorkersSeen | null): string[] {
  if (workers === null || !needsWorkers(progress)) return [];
  const renderers = workers.renderers.map(({ size, workers: number }) => `${size} px ${number}`);
  return [
    `  workers  orchestrators ${workers.orchestrators}${renderers.length === 0 ? '' : `  renderers ${renderers.join(', ')}`}`,
    ...lackOfWorkers(openSizes(progress), workers).map((line) => `  ${line}`),
  ];
}

const failureLines = ({ recentFailures }: BatchProgress): string[] =>
  recentFailures.length === 0
    ? []
    : ['  last failures', ...recentFailures.map(({ id, reason }) => `    ${oneLine(`${id}: ${reason}`)}`)];

/** Reasons come from other programs; what moves the cursor would spoil the screen. */
const oneLine = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ').trim();

/** Fast ones by the second, slow ones by the hour. */
export function rateText(perSecond: number): string {
  const number = (value: number): string => (value < 10 ? value.toFixed(1) : String(Math.round(value)));
  if (perSecond >= 10) return `${number(perSecond)} a second`;
  if (perSecond >= 1 / 60) return `${number(perSecond * 60)} a minute`;
  return `${number(perSecond * 3_600)} an hour`;
}

/** `45 s`, `12 min`, `3 h 05 min`. */
export function durationText(seconds: number): string {
  if (seconds < 59.5) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** A clock says nothing of the next minute. */
const endText = (now: Date, seconds: number): string =>
  seconds < 60
    ? `ends in ${durationText(seconds)}`
    : `ends about ${clockText(now, seconds)}, in ${durationText(seconds)}`;

/** `03:12 UTC`, with the day where it is not today. */
export function clockText(now: Date, secondsLater: number): string {
  const end = new Date(now.getTime() + secondsLater * 1_000).toISOString();
  const day = end.slice(0, 10) === now.toISOString().slice(0, 10) ? '' : `${end.slice(0, 10)} `;
  return `${day}${end.slice(11, 16)} UTC`;
}
