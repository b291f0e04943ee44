import { type BatchProgress, doneOf, type WorkersSeen } from '../../client/index.ts';
import { oneLine } from '../../domain/printable.mjs';
import { stateText } from '../../domain/state-text.ts';
import { inHandText } from './in-hand-text.ts';
import { outcomeText, type ShownProgress, sizesOf } from './progress-text.ts';
import { clockText, timeLeftText } from './text.ts';
import { waitingText } from './waiting-text.ts';
import { lackOfWorkers, needsWorkers, openSizes } from './worker-watch.ts';

/** What is known besides the batch's own progress. */
type Surroundings = {
  /** Images per second; `null` if not known yet. */
  perSecond: number | null;
  /** Time until the last image, at the pace of each size; `null` if not known yet. */
  secondsLeft: number | null;
  now: Date;
  workers: WorkersSeen | null;
  /** Why there is no answer; `null` if there is one. */
  silence: string | null;
};

const BAR = 30;

/** A batch on a terminal: headline, a bar per size, what holds it up, images in hand, workers, and the last failures. */
export function liveView(progress: ShownProgress, around: Surroundings): string[] {
  const { retrying = [], inHand = [], paused } = progress;
  return [
    headline(progress, around),
    ...sizesOf(progress).map(([size, counts]) => {
      const done = doneOf(counts);
      const numbers = `${done}/${counts.jobs}`.padStart(String(counts.jobs).length * 2 + 1);
      return `${size.padStart(6)} px ${bar(done, counts.jobs)} ${numbers}  ${outcomeText(counts)}`;
    }),
    ...(around.silence === null ? [] : [`  ${around.silence}`]),
    ...(progress.state === 'paused' && paused !== undefined ? [`  paused: ${oneLine(paused)}`] : []),
    ...retrying.map((of) => `  ${waitingText(of, around.now)}`),
    ...inHandText(inHand).map((line) => `  ${line}`),
    ...workerLines(progress, around.workers),
    ...failureLines(progress),
  ];
}

function headline({ batch, state, totals }: BatchProgress, around: Surroundings): string {
  const { perSecond, secondsLeft, now, silence } = around;
  if (state === 'planning') return `${batch}  planning`;
  const done = `${doneOf(totals)} of ${totals.jobs} images`;
  if (state !== 'rendering' || silence !== null) return `${batch}  ${stateText(state, totals.failed)}  ${done}`;
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

/** Per second, minute or hour, whichever reads best. */
export function rateText(perSecond: number): string {
  const number = (value: number): string => (value < 10 ? value.toFixed(1) : String(Math.round(value)));
  if (perSecond >= 10) return `${number(perSecond)} a second`;
  if (perSecond >= 1 / 60) return `${number(perSecond * 60)} a minute`;
  return `${number(perSecond * 3_600)} an hour`;
}

/** Within the next minute a time of day says nothing. */
const endText = (now: Date, seconds: number): string =>
  seconds < 60
    ? `ends in ${timeLeftText(seconds)}`
    : `ends about ${clockText(now, seconds)}, in ${timeLeftText(seconds)}`;
