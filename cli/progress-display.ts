import { MultiBar, Presets, SingleBar } from 'cli-progress';
import { SIZES, type Size } from '../catalog/size.ts';
import type { BatchProgress, SizeProgress } from '../workflows/contract.ts';

/** Shows a batch's progress to whoever waits for it. */
export type ProgressDisplay = {
  show(progress: BatchProgress): void;
  /** Leaves the screen as it is, with room for what follows. */
  end(): void;
};

/** Bars on a terminal, lines in a log file; nothing but JSON for programs. */
export function progressDisplay(json: boolean, stream: NodeJS.WriteStream = process.stderr): ProgressDisplay {
  if (json) return jsonLines(process.stdout);
  return stream.isTTY ? bars(stream) : lines(stream);
}

const settled = ({ rendered, reused, failed }: SizeProgress): number => rendered + reused + failed;

/** `4 rendered, 2 reused, 1 failed`; what is zero is left out. */
export function outcomeText({ rendered, reused, failed }: Omit<SizeProgress, 'jobs'>): string {
  const parts = Object.entries({ rendered, reused, failed }).filter(([, number]) => number > 0);
  return parts.map(([name, number]) => `${number} ${name}`).join(', ') || 'none yet';
}

const sizesOf = ({ bySize }: BatchProgress): [Size, SizeProgress][] =>
  SIZES.flatMap((size) => (bySize[size] === undefined ? [] : [[size, bySize[size]]]));

function bars(stream: NodeJS.WriteStream): ProgressDisplay {
  const all = new MultiBar(
    { stream, hideCursor: true, format: ' {size} px {bar} {value}/{total}  {outcome}', linewrap: false },
    Presets.shades_classic,
  );
  const bySize = new Map<Size, SingleBar>();
  let told = false;
  return {
    show(progress) {
      if (!told && progress.state === 'planning') stream.write('planning …\n');
      told = true;
      for (const [size, counts] of sizesOf(progress)) {
        const payload = { size: size.padStart(4), outcome: outcomeText(counts) };
        const bar = bySize.get(size) ?? all.create(counts.jobs, 0, payload);
        bySize.set(size, bar);
        bar.update(settled(counts), payload);
      }
    },
    end: () => all.stop(),
  };
}

/** A log is read later: a line whenever something has changed, and not more than one in five seconds. */
const LINE_INTERVAL_MS = 5_000;

function lines(stream: NodeJS.WritableStream): ProgressDisplay {
  let last = '';
  let lastAt = 0;
  const print = (progress: BatchProgress): void => {
    const counts = sizesOf(progress).map(([size, of]) => `${size} px ${settled(of)}/${of.jobs} (${outcomeText(of)})`);
    const line = [progress.state, ...counts].join('  ');
    if (line !== last) stream.write(`${line}\n`);
    last = line;
    lastAt = performance.now();
  };
  let pending: BatchProgress | null = null;
  return {
    show(progress) {
      pending = progress;
      if (last === '' || performance.now() - lastAt >= LINE_INTERVAL_MS) print(progress);
    },
    end() {
      if (pending !== null) print(pending);
    },
  };
}

function jsonLines(stream: NodeJS.WritableStream): ProgressDisplay {
  let last = '';
  return {
    show(progress) {
      const line = JSON.stringify(progress);
      if (line !== last) stream.write(`${line}\n`);
      last = line;
    },
    end: () => {},
  };
}

/** Shows the steps of one image. */
export type StepDisplay = { show(step: number): void; end(): void };

export function stepDisplay(steps: number, stream: NodeJS.WriteStream = process.stderr): StepDisplay {
  if (stream.isTTY) {
    const bar = new SingleBar(
      { stream, hideCursor: true, clearOnComplete: true, format: ' {bar} step {value}/{total}  {duration_formatted}' },
      Presets.shades_classic,
    );
    bar.start(steps, 0);
    return { show: (step) => bar.update(step), end: () => bar.stop() };
  }
  let lastAt = performance.now();
  return {
    show(step) {
      if (performance.now() - lastAt < LINE_INTERVAL_MS) return;
      lastAt = performance.now();
      stream.write(`step ${step}/${steps}\n`);
    },
    end: () => {},
  };
}
