import { Presets, SingleBar } from 'cli-progress';

/** As often as a log is told of steps. */
const LINE_INTERVAL_MS = 5_000;

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
