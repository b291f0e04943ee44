import { execFile } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { promisify } from 'node:util';
import type { Device } from '../models/pixart/index.ts';

const NVIDIA_SMI_TIMEOUT_MS = 5_000;

/**
 * What the device is, for rates that are kept by it: `NVIDIA H100 80GB HBM3`, `AMD EPYC × 2`. The device's own name (`cuda:0`) where the
 * driver's `nvidia-smi` does not tell.
 */
export async function deviceName(device: Device, threads: number | undefined): Promise<string> {
  if (device === 'cpu') return `${cpus()[0]?.model.trim() || 'CPU'} × ${threads ?? availableParallelism()}`;
  const id = device.slice('cuda:'.length);
  try {
    const { stdout } = await promisify(execFile)(
      'nvidia-smi',
      [`--id=${id}`, '--query-gpu=name', '--format=csv,noheader'],
      { timeout: NVIDIA_SMI_TIMEOUT_MS },
    );
    return stdout.trim() || device;
  } catch {
    return device;
  }
}
