import { readFileSync } from 'node:fs';
import { treeOf } from './process-tree.ts';

/** Bytes: each page counted once over all processes that share it, and how much of that is mapped from files, which the kernel can drop. */
export type TreeMemory = { total: number; file: number };

const LOOK_EVERY_MS = 200;

/** Looks at a process and all below it until it is stopped; tells the largest sum that it saw. Linux only. */
export function watchTreeMemory(root: number): { stop(): TreeMemory & { withoutFiles: number } } {
  const most = { total: 0, file: 0, withoutFiles: 0 };
  const look = (): void => {
    const { total, file } = treeMemory(root);
    if (total > most.total) Object.assign(most, { total, file });
    most.withoutFiles = Math.max(most.withoutFiles, total - file);
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return {
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}

/** The proportional set size of a process and all below it, now. */
export function treeMemory(root: number): TreeMemory {
  const all = treeOf(root).map(memoryOf);
  return { total: sum(all.map(({ total }) => total)), file: sum(all.map(({ file }) => file)) };
}

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);

/** See proc_pid_smaps(5). A process that has ended has none. */
function memoryOf(pid: number): TreeMemory {
  const rollup = readIfThere(`/proc/${pid}/smaps_rollup`);
  const of = (name: string): number => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1] ?? 0);
  return { total: of('Pss'), file: of('Pss_File') };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
