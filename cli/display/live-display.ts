import { doneOf, type SizeProgress } from '../../client/index.ts';
import { printable } from '../../domain/printable.mjs';
import type { Size } from '../../domain/size.ts';
import { liveView } from './live-view.ts';
import { LIVE_INTERVAL_MS } from './output.ts';
import { Pace } from './pace.ts';
import { type ProgressDisplay, type ShownProgress, sizesOf } from './progress-text.ts';
import { type SeeWorkers, WorkerWatch } from './worker-watch.ts';

/** A batch on a terminal, repainted in place whenever there is news. */
export function liveDisplay(stream: NodeJS.WriteStream, seeWorkers: SeeWorkers): ProgressDisplay {
  const screen = new Screen(stream);
  const paces = new Map<Size | 'all', Pace>();
  const watch = new WorkerWatch(seeWorkers);
  let last: ShownProgress | null = null;

  function pace(of: Size | 'all', now: number, done: number): number | null {
    const known = paces.get(of) ?? new Pace();
    paces.set(of, known);
    known.note(now, done);
    return known.perSecond(now);
  }

  return {
    everyMs: LIVE_INTERVAL_MS,
    show(progress) {
      const now = performance.now();
      const workers = watch.seen(progress);
      const perSecond = pace('all', now, workedOn(progress.totals));
      const left = sizesOf(progress).map(([size, counts]) => {
        const rate = pace(size, now, workedOn(counts));
        const open = counts.jobs - doneOf(counts);
        return open === 0 ? 0 : rate === null ? null : open / rate;
      });
      last = progress;
      screen.paint(
        liveView(progress, { perSecond, secondsLeft: longest(left), now: new Date(), workers, silence: null }),
      );
    },
    fallSilent(why, known) {
      const unknown = { perSecond: null, secondsLeft: null, workers: null };
      const shown = known ?? (last && { ...last, retrying: [], inHand: [] });
      screen.paint(shown === null ? [why] : liveView(shown, { ...unknown, now: new Date(), silence: why }));
    },
    end: () => screen.leave(),
  };
}

/** Images that devices have worked on: reused images say nothing about their pace. */
const workedOn = ({ rendered, failed }: Pick<SizeProgress, 'rendered' | 'failed'>): number => rendered + failed;

/** Sizes are rendered in parallel: the slowest one counts, and one of unknown pace leaves the end unknown. */
const longest = (seconds: (number | null)[]): number | null =>
  seconds.some((of) => of === null) ? null : Math.max(0, ...seconds.filter((of) => of !== null));

const CLEAR_BELOW = '\x1b[0J';
const up = (lines: number): string => (lines === 0 ? '' : `\x1b[${lines}A\r`);
/** Only the terminal knows how wide each character is: without wrapping, lines that are still too long stay on one row. */
const WRAP = { off: '\x1b[?7l', on: '\x1b[?7h' };

/** A reason may have a thousand characters, and five failures are shown. */
const LINES_OF_ONE = 3;

/** Wraps a line, taking each character as one column wide and breaking between words if possible. */
function folded(line: string, columns: number): string[] {
  const indent = `${/^ */.exec(line)![0]}  `;
  const lines: string[] = [];
  let rest = [...line];
  while (rest.length > columns && lines.length < LINES_OF_ONE - 1) {
    const space = rest.lastIndexOf(' ', columns);
    const end = space > indent.length ? space : columns;
    lines.push(rest.slice(0, end).join(''));
    rest = [...indent, ...rest.slice(space === end ? end + 1 : end)];
  }
  return [...lines, rest.length <= columns ? rest.join('') : `${rest.slice(0, columns - 1).join('')}…`];
}

/** The last lines of a terminal, painted again and again. */
class Screen {
  readonly #stream: NodeJS.WriteStream;
  #painted = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  paint(lines: string[]): void {
    const columns = this.#stream.columns ?? 80;
    // Lines that have scrolled off the screen cannot be repainted.
    const most = Math.max(1, (this.#stream.rows ?? 24) - 1);
    const shown = lines.flatMap((line) => folded(printable(line), columns)).slice(0, most);
    const text = shown.map((line) => `${line}\n`).join('');
    this.#stream.write(`${up(this.#painted)}${CLEAR_BELOW}${WRAP.off}${text}${WRAP.on}`);
    this.#painted = shown.length;
  }

  /** Leaves the painted lines on the screen; whatever is painted next goes below them. */
  leave(): void {
    this.#painted = 0;
  }
}
