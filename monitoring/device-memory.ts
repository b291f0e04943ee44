import { readFile } from 'node:fs/promises';
import type { Device } from '../models/pixart/index.ts';
import { nvidiaSmi } from './nvidia-smi.ts';

/**
 * Bytes in use: of a GPU as its driver's `nvidia-smi` tells, whoever uses them; for a CPU those of the renderer's process.
 * `null` where neither is to be had.
 */
export async function deviceMemory(device: Device, rendererPid: number): Promise<number | null> {
  try {
    return device === 'cpu' ? await residentBytes(rendererPid) : await gpuBytes(device);
  } catch {
    return null;
  }
}

/** Linux tells it in kibibytes; other systems have no /proc. */
async function residentBytes(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1_024;
}

async function gpuBytes(device: string): Promise<number | null> {
  const mebibytes = Number.parseInt(await nvidiaSmi(device, 'memory.used'), 10);
  return Number.isNaN(mebibytes) ? null : mebibytes * 1_024 ** 2;
}
