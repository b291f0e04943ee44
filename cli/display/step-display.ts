import { Presets, SingleBar } from 'cli-progress';
import { LOG_INTERVAL_MS, writeLine } from './output.ts';

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
      if (performance.now() - lastAt < LOG_INTERVAL_MS) return;
      lastAt = performance.now();
      writeLine(stream, `step ${step}/${steps}`);
    },
    end: () => {},
  };
}
