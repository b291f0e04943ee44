import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { childEnvironment } from '../domain/child-environment.mjs';
import type { Device } from '../models/pixart/index.ts';
import { processorModel } from '../models/renderer/processor.ts';

/** The longest name that a receipt allows. */
const MAX_CHARACTERS = 200;

/**
 * The device's model, by which rates are kept: `NVIDIA H100 80GB HBM3`, `AMD EPYC × 2`. The device itself (`cuda:0`) if
 * the driver does not say.
 *
 * @param threads for a CPU, the sum over all renderer processes; how they are divided does not change a picture
 */
export async function deviceName(device: Device, threads: number): Promise<string> {
  const name = device === 'cpu' ? `${processorModel()} × ${threads}` : await nvidiaSmi(device, 'name').catch(() => '');
  return (name || device).slice(0, MAX_CHARACTERS);
}

/**
 * Bytes in use: for a GPU, as reported by its driver's `nvidia-smi`, by all processes; for a CPU, by the renderer's processes.
 * `null` if unknown.
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

/** Linux reports it in kibibytes; other systems have no /proc. */
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
 * Asks the driver about one GPU (`memory.used`, `name`), without units. Devices are numbered as CUDA numbers them in
 * this process: `CUDA_VISIBLE_DEVICES` may hide some. On machines with different cards, `CUDA_DEVICE_ORDER=PCI_BUS_ID`
 * makes CUDA number them as the driver does.
 *
 * @param device such as `cuda:0`
 * @throws Error if there is no `nvidia-smi`, or it does not know the device
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
