import { readFileSync } from 'node:fs';
import { treeOf } from './process-tree.ts';

/**
 * Bytes. `total` counts each page once over all processes that share it; `file` is the part mapped from files, which
 * the kernel can drop.
 */
export type TreeMemory = { total: number; file: number };

const LOOK_EVERY_MS = 200;

/** Samples a process and all its descendants until stopped; returns the largest total. Linux only. */
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

/** The current proportional set size of a process and all its descendants. */
export function treeMemory(root: number): TreeMemory {
  const all = treeOf(root).map(memoryOf);
  return { total: sum(all.map(({ total }) => total)), file: sum(all.map(({ file }) => file)) };
}

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);

/** See proc_pid_smaps(5). A process that has exited has none. */
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
