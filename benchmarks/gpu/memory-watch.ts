import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Device } from '../../models/pixart/index.ts';
import { treeMemory, watchTreeMemory } from '../bench/tree-memory.ts';
import { deviceNumber } from './device.ts';

const LOOK_EVERY_MS = 50;
const MIB = 2 ** 20;

/** Watches a device's memory. */
export type MemoryWatch = {
  /** The most that was in use so far, above what was when it began, in bytes. */
  most(): number;
  stop(): void;
};

/**
 * Begins to watch. On a GPU it is all of the device's memory, whoever takes it: the driver does not name processes inside
 * of containers. On a processor it is that of this process and its descendants.
 *
 * @throws Error where the driver does not tell
 */
export async function watchMemory(device: Device): Promise<MemoryWatch> {
  if (device === 'cpu') {
    const before = treeMemory(process.pid).total;
    const watch = watchTreeMemory(process.pid);
    return { most: () => Math.max(0, watch.stop().total - before), stop: () => void watch.stop() };
  }
  const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits', `--id=${deviceNumber(device)}`];
  const child = spawn('nvidia-smi', [...query, `--loop-ms=${LOOK_EVERY_MS}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.on('error', () => {});
  const lines = createInterface(child.stdout);
  let before: number | undefined;
  let most = 0;
  await new Promise<void>((resolve, reject) => {
    lines.once('close', () => reject(new Error('nvidia-smi ended before it told how much memory is in use')));
    lines.on('line', (line) => {
      const used = Number(line) * MIB;
      before ??= used;
      most = Math.max(most, used);
      resolve();
    });
  });
  return { most: () => most - before!, stop: () => void child.kill() };
}
