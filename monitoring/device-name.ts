import { availableParallelism, cpus } from 'node:os';
import type { Device } from '../models/pixart/index.ts';
import { nvidiaSmi } from './nvidia-smi.ts';

/** As long as a receipt takes. */
const MAX_CHARACTERS = 200;

/**
 * What the device is, for rates that are kept by it: `NVIDIA H100 80GB HBM3`, `AMD EPYC × 2`. The device's own name (`cuda:0`) where the
 * driver does not tell.
 */
export async function deviceName(device: Device, threads: number | undefined): Promise<string> {
  const name =
    device === 'cpu'
      ? `${cpus()[0]?.model.trim() || 'CPU'} × ${threads ?? availableParallelism()}`
      : await nvidiaSmi(device, 'name').catch(() => '');
  return (name || device).slice(0, MAX_CHARACTERS);
}
