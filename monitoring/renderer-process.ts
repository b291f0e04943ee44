import type { Device } from '../models/pixart/index.ts';
import { deviceMemory } from './device.ts';
import type { RenderMetrics } from './render-metrics.ts';

/** As often as Prometheus usually asks. */
const MEMORY_EVERY_MS = 15_000;

/** Counts the renderer's processes, and measures the memory of the one that lives. */
export type RendererProcess = {
  /** A process is ready, the first or one that replaces a dead one. */
  started(pid: number): void;
  stop(): void;
};

export function observeRendererProcess(metrics: RenderMetrics, device: Device): RendererProcess {
  let current: number | null = null;
  const measure = async (): Promise<void> => {
    const bytes = current === null ? null : await deviceMemory(device, current);
    if (bytes !== null) metrics.deviceMemory(bytes);
  };
  const timer = setInterval(measure, MEMORY_EVERY_MS).unref();
  return {
    started(pid) {
      if (current !== null) metrics.rendererRestarted();
      current = pid;
      measure();
    },
    stop: () => clearInterval(timer),
  };
}
