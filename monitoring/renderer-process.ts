import type { Device } from '../models/pixart/index.ts';
import type { StartedChild } from '../models/renderer/index.ts';
import { deviceMemory } from './device.ts';
import type { RenderMetrics } from './render-metrics.ts';

/** As often as Prometheus usually scrapes. */
const MEMORY_EVERY_MS = 15_000;

/** Counts the renderer's processes, and measures the memory of live ones. */
export type RendererProcesses = {
  /** A process is ready: one of the first, or a replacement for a dead one. */
  started(child: StartedChild): void;
  stop(): void;
};

export function observeRendererProcesses(metrics: RenderMetrics, device: Device): RendererProcesses {
  const current = new Set<number>();
  const measure = async (): Promise<void> => {
    const bytes = current.size === 0 ? null : await deviceMemory(device, [...current]);
    if (bytes !== null) metrics.deviceMemory(bytes);
  };
  const timer = setInterval(measure, MEMORY_EVERY_MS).unref();
  return {
    started({ pid, replaces }) {
      if (replaces !== null) {
        metrics.rendererRestarted();
        current.delete(replaces);
      }
      current.add(pid);
      metrics.children(current.size);
      measure();
    },
    stop: () => clearInterval(timer),
  };
}
