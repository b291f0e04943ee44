import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Device } from '../../models/pixart/index.ts';
import { treeMemory, watchTreeMemory } from '../bench/tree-memory.ts';
import { deviceNumber } from './device.ts';

const MIB = 2 ** 20;

/** Watches a device's memory until it is stopped, and returns the peak in bytes above what was in use at first. */
export type MemoryWatch = { stop(): Promise<number> };

/**
 * Starts to watch. On a GPU it watches all of the device's memory, whichever process uses it, since the driver does not
 * list processes inside containers. On a processor it watches this process and its descendants.
 *
 * @throws Error if the driver does not report memory
 */
export async function watchMemory(device: Device): Promise<MemoryWatch> {
  if (device !== 'cpu') return watchGpu(deviceNumber(device));
  const before = treeMemory(process.pid).total;
  const watch = watchTreeMemory(process.pid);
  return { stop: async () => Math.max(0, watch.stop().total - before) };
}

async function watchGpu(number: string): Promise<MemoryWatch> {
  const before = await usedBytes(number);
  let most = before;
  let isStopped = false;
  const look = async (): Promise<void> => {
    while (!isStopped) most = Math.max(most, await usedBytes(number));
  };
  const looking = look();
  // An error is thrown by stop().
  looking.catch(() => {});
  return {
    async stop() {
      isStopped = true;
      await looking;
      // ONNX Runtime keeps the memory that it took, so this last look sees all of it.
      return Math.max(most, await usedBytes(number)) - before;
    },
  };
}

async function usedBytes(number: string): Promise<number> {
  const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits', `--id=${number}`];
  const { stdout } = await promisify(execFile)('nvidia-smi', query);
  const mebibytes = Number.parseInt(stdout, 10);
  if (Number.isNaN(mebibytes)) throw new Error(`nvidia-smi does not say how much memory is in use: ${stdout.trim()}`);
  return mebibytes * MIB;
}
