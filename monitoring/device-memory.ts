import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Device } from '../models/pixart/index.ts';

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

const NVIDIA_SMI_TIMEOUT_MS = 5_000;

async function gpuBytes(device: string): Promise<number | null> {
  const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits'];
  const { stdout } = await promisify(execFile)('nvidia-smi', [`--id=${device.replace('cuda:', '')}`, ...query], {
    timeout: NVIDIA_SMI_TIMEOUT_MS,
  });
  const mebibytes = Number.parseInt(stdout, 10);
  return Number.isNaN(mebibytes) ? null : mebibytes * 1_024 ** 2;
}
