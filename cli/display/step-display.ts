import { Presets, SingleBar } from 'cli-progress';
import { LOG_INTERVAL_MS, writeLine } from './output.ts';

/** Shows the progress of a count. */
export type StepDisplay = { show(step: number): void; end(): void };

/** @param what the unit that is counted; default: the steps of one image */
export function stepDisplay(
  steps: number,
  { what = 'step', stream = process.stderr }: { what?: string; stream?: NodeJS.WriteStream } = {},
): StepDisplay {
  if (stream.isTTY) {
    const bar = new SingleBar(
      {
        stream,
        hideCursor: true,
        clearOnComplete: true,
        format: ` {bar} ${what} {value}/{total}  {duration_formatted}`,
      },
      Presets.shades_classic,
    );
    bar.start(steps, 0);
    return { show: (step) => bar.update(step), end: () => bar.stop() };
  }
  let lastAt = performance.now();
  return {
    show(step) {
      if (performance.now() - lastAt < LOG_INTERVAL_MS) return;
      lastAt = performance.now();
      writeLine(stream, `${what} ${step}/${steps}`);
    },
    end: () => {},
  };
}
