import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';

/** Where Linux states how much processor time a control group, such as a container, may use: version 2, then 1. */
const QUOTAS = ['/sys/fs/cgroup/cpu.max', '/sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us'];

export const processorModel = (): string => cpus()[0]?.model.trim() || 'CPU';

export const onnxruntimeVersion = (): string =>
  (createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string }).version;

/** How many cores this process may use at once, by its CPU affinity and its container's quota, rounded up. */
export function usableCores(): number {
  const quotas = QUOTAS.map(quotaIn).filter((cores) => cores > 0);
  return Math.max(1, Math.min(availableParallelism(), ...quotas.map(Math.ceil)));
}

/** A quota in cores; NaN or negative if there is none. */
function quotaIn(files: string): number {
  try {
    const text = files.split(' ').map((file) => readFileSync(file, 'utf8').trim());
    const [quota, period] = text.join(' ').split(/\s+/).map(Number);
    return quota! / period!;
  } catch {
    return Number.NaN;
  }
}
