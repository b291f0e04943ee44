import { doneOf } from '../../client/index.ts';
import { oneLine } from '../../domain/printable.mjs';
import { stateText } from '../../domain/state-text.ts';
import { inHandText } from './in-hand-text.ts';
import { lastingTrouble } from './lasting-trouble.ts';
import { liveDisplay } from './live-display.ts';
import { LIVE_INTERVAL_MS, LOG_INTERVAL_MS, printJson, writeLine } from './output.ts';
import { outcomeText, type ProgressDisplay, type ShownProgress, sizesOf } from './progress-text.ts';
import { waitingText } from './waiting-text.ts';
import { lackOfWorkers, openSizes, type SeeWorkers, WorkerWatch } from './worker-watch.ts';

/** A live view on a terminal, lines in a log file, JSON for programs. */
export function progressDisplay(
  json: boolean,
  seeWorkers: SeeWorkers,
  stream: NodeJS.WriteStream = process.stderr,
): ProgressDisplay {
  if (json) return jsonLines(stream);
  return stream.isTTY ? liveDisplay(stream, seeWorkers) : lines(stream, seeWorkers);
}

/** How often images that take long are reported. */
const IN_HAND_MS = 60_000;

/** A log is read later: one line per change, but not too many. */
function lines(stream: NodeJS.WritableStream, seeWorkers: SeeWorkers): ProgressDisplay {
  const watch = new WorkerWatch(seeWorkers);
  const isDue = lastingTrouble();
  const silence = new Silence(stream);
  const told = new Set<string>();
  let last = '';
  let lastAt = 0;
  let lastInHand = '';
  let inHandAt = performance.now();
  const print = (progress: ShownProgress): void => {
    const counts = sizesOf(progress).map(([size, of]) => `${size} px ${doneOf(of)}/${of.jobs} (${outcomeText(of)})`);
    const state = stateText(progress.state, progress.totals.failed);
    const line = [progress.state === 'paused' ? `paused (${oneLine(progress.paused ?? '')})` : state, ...counts].join(
      '  ',
    );
    if (line !== last) {
      writeLine(stream, line);
      inHandAt = performance.now();
    }
    last = line;
    lastAt = performance.now();
  };
  const printLack = (progress: ShownProgress): void => {
    for (const line of lackOfWorkers(openSizes(progress), watch.seen(progress))) {
      if (!told.has(line)) writeLine(stream, line);
      told.add(line);
    }
  };
  const printTrouble = ({ retrying = [] }: ShownProgress): void => {
    for (const of of retrying) if (isDue(of, performance.now())) writeLine(stream, waitingText(of, new Date()));
  };
  /** While images take minutes, there is no other news. */
  const printInHand = ({ inHand = [] }: ShownProgress): void => {
    const line = inHandText(inHand).join();
    if (line === lastInHand || performance.now() - inHandAt < IN_HAND_MS) return;
    if (line !== '') writeLine(stream, line);
    lastInHand = line;
    inHandAt = performance.now();
  };
  let pending: ShownProgress | null = null;
  return {
    everyMs: LOG_INTERVAL_MS,
    show(progress) {
      silence.end();
      pending = progress;
      printLack(progress);
      printTrouble(progress);
      if (last === '' || performance.now() - lastAt >= LOG_INTERVAL_MS) print(progress);
      printInHand(progress);
    },
    fallSilent: (why) => silence.tell(why),
    end() {
      if (pending !== null) print(pending);
    },
  };
}

function jsonLines(stream: NodeJS.WritableStream): ProgressDisplay {
  const silence = new Silence(stream);
  let last = '';
  return {
    everyMs: LIVE_INTERVAL_MS,
    show(progress) {
      silence.end();
      const line = JSON.stringify(progress);
      if (line !== last) printJson(progress);
      last = line;
    },
    fallSilent: (why) => silence.tell(why),
    end: () => {},
  };
}

/** Reports why nobody answers, once per reason until somebody does. */
class Silence {
  readonly #stream: NodeJS.WritableStream;
  #told = '';

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  tell(why: string): void {
    if (why !== this.#told) writeLine(this.#stream, why);
    this.#told = why;
  }

  end(): void {
    this.#told = '';
  }
}
