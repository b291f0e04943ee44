import { spawnSync } from 'node:child_process';
import { totalmem } from 'node:os';
import type { Device } from '../../models/pixart/index.ts';
import type { Machine } from './results.ts';

export const deviceNumber = (device: Device): string => device.slice('cuda:'.length);

/** What the driver reports about a GPU. */
export type Gpu = { name: string; memoryBytes: number; driver: string; capability: string };

/** @returns what is wrong with the driver, as a sentence, if it does not know the device */
export function gpuOf(device: Device): Gpu | string {
  const query = ['--query-gpu=name,memory.total,driver_version,compute_cap', '--format=csv,noheader,nounits'];
  const { error, status, stdout, stderr } = spawnSync('nvidia-smi', [...query, `--id=${deviceNumber(device)}`], {
    encoding: 'utf8',
  });
  if (error) return 'nvidia-smi cannot be run; it comes with the driver';
  if (status !== 0) return `nvidia-smi says: ${(stdout + stderr).trim()}`;
  const [name = '', mebibytes, driver = '', capability = ''] = stdout.split(',').map((cell) => cell.trim());
  const memoryBytes = Number(mebibytes) * 2 ** 20;
  // "[N/A]" if the card shares the machine's memory, or is a slice of another.
  if (!(memoryBytes > 0)) return `nvidia-smi does not say how much memory the GPU has: ${stdout.trim()}`;
  return { name, memoryBytes, driver, capability };
}

/** The machine that results belong to. */
export function machineOf(device: Device, gpu: Gpu | null, isToy: boolean): Machine {
  return { device: gpu?.name ?? device, memoryBytes: gpu?.memoryBytes ?? totalmem(), isToy };
}
