import { doneOf } from '../../client/index.ts';
import { liveDisplay } from './live-display.ts';
import { LIVE_INTERVAL_MS, LOG_INTERVAL_MS, printJson, writeLine } from './output.ts';
import { outcomeText, type ProgressDisplay, type ShownProgress, sizesOf } from './progress-text.ts';
import { waitingText } from './waiting-text.ts';
import { lackOfWorkers, openSizes, type SeeWorkers, WorkerWatch } from './worker-watch.ts';

/** A live view on a terminal, lines in a log file; nothing but JSON for programs. */
export function progressDisplay(
  json: boolean,
  seeWorkers: SeeWorkers,
  stream: NodeJS.WriteStream = process.stderr,
): ProgressDisplay {
  if (json) return jsonLines();
  return stream.isTTY ? liveDisplay(stream, seeWorkers) : lines(stream, seeWorkers);
}

/** A log is read later: a line whenever something has changed, and not too many. */
function lines(stream: NodeJS.WritableStream, seeWorkers: SeeWorkers): ProgressDisplay {
  const watch = new WorkerWatch(seeWorkers);
  const told = new Set<string>();
  let last = '';
  let lastAt = 0;
  const tellOnce = (what: string, line: string): void => {
    if (!told.has(what)) writeLine(stream, line);
    told.add(what);
  };
  const print = (progress: ShownProgress): void => {
    const counts = sizesOf(progress).map(([size, of]) => `${size} px ${doneOf(of)}/${of.jobs} (${outcomeText(of)})`);
    const line = [progress.state, ...counts].join('  ');
    if (line !== last) writeLine(stream, line);
    last = line;
    lastAt = performance.now();
  };
  const printLack = (progress: ShownProgress): void => {
    for (const line of lackOfWorkers(openSizes(progress), watch.seen(progress))) tellOnce(line, line);
  };
  const printTrouble = ({ retrying = [] }: ShownProgress): void => {
    // Once for each reason, not for each attempt.
    for (const of of retrying) tellOnce(`${of.activity} ${of.reason}`, waitingText(of, new Date()));
  };
  let pending: ShownProgress | null = null;
  return {
    everyMs: LOG_INTERVAL_MS,
    show(progress) {
      pending = progress;
      printLack(progress);
      printTrouble(progress);
      if (last === '' || performance.now() - lastAt >= LOG_INTERVAL_MS) print(progress);
    },
    end() {
      if (pending !== null) print(pending);
    },
  };
}

function jsonLines(): ProgressDisplay {
  let last = '';
  return {
    everyMs: LIVE_INTERVAL_MS,
    show(progress) {
      const line = JSON.stringify(progress);
      if (line !== last) printJson(progress);
      last = line;
    },
    end: () => {},
  };
}
