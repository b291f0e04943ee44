import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { childEnvironment } from '../domain/child-environment.mjs';
import type { Device } from '../models/pixart/index.ts';
import { processorModel } from '../models/renderer/processor.ts';

/** As long as a receipt takes. */
const MAX_CHARACTERS = 200;

/**
 * What the device is, for rates that are kept by it: `NVIDIA H100 80GB HBM3`, `AMD EPYC × 2`. The device's own name (`cuda:0`) where the
 * driver does not tell.
 *
 * @param threads of a processor, all of the renderer's processes together; how they are divided changes no picture
 */
export async function deviceName(device: Device, threads: number): Promise<string> {
  const name = device === 'cpu' ? `${processorModel()} × ${threads}` : await nvidiaSmi(device, 'name').catch(() => '');
  return (name || device).slice(0, MAX_CHARACTERS);
}

/**
 * Bytes in use: of a GPU as its driver's `nvidia-smi` tells, whoever uses them; for a CPU those of the renderer's processes.
 * `null` where neither is to be had.
 */
export async function deviceMemory(device: Device, rendererPids: readonly number[]): Promise<number | null> {
  try {
    return device === 'cpu' ? sum(await Promise.all(rendererPids.map(residentBytes))) : await gpuBytes(device);
  } catch {
    return null;
  }
}

const sum = (bytes: readonly (number | null)[]): number | null =>
  bytes.reduce((total, of) => (total === null || of === null ? null : total + of), 0);

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

const TIMEOUT_MS = 5_000;

/**
 * What the driver tells of one GPU (`memory.used`, `name`), without units. Devices are counted as CUDA counts them in this process:
 * `CUDA_VISIBLE_DEVICES` may leave some out. Where unlike cards are in one machine, `CUDA_DEVICE_ORDER=PCI_BUS_ID` makes CUDA count
 * them as the driver does.
 *
 * @param device `cuda:0`
 * @throws Error where there is no `nvidia-smi`, or it does not know the device
 */
async function nvidiaSmi(device: string, field: 'memory.used' | 'name'): Promise<string> {
  const index = Number(device.slice('cuda:'.length));
  const visible = process.env.CUDA_VISIBLE_DEVICES?.split(',');
  const id = visible?.[index]?.trim() || String(index);
  const query = [`--id=${id}`, `--query-gpu=${field}`, '--format=csv,noheader,nounits'];
  const { stdout } = await promisify(execFile)('nvidia-smi', query, {
    env: childEnvironment('renderer'),
    timeout: TIMEOUT_MS,
  });
  return stdout.trim();
}
