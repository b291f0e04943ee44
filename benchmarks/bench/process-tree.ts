import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second. */
const TICKS = 100;

/** Processor seconds of a process, and of its children that have exited and been waited for. */
export type ProcessStat = { parent: number; seconds: number; childrenSeconds: number };

/** A process and all its descendants. Linux only. */
export function treeOf(root: number): number[] {
  const all = pids().map((pid) => ({ pid, parent: statOf(pid)?.parent }));
  const below = (pid: number): number[] => [
    pid,
    ...all.filter(({ parent }) => parent === pid).flatMap((child) => below(child.pid)),
  ];
  return below(root);
}

const pids = (): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0);

/** `null` for a process that has exited. See proc_pid_stat(5). */
export function statOf(pid: number | string): ProcessStat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name, which may contain anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = (first: number): number => (Number(fields[first]) + Number(fields[first + 1])) / TICKS;
    return { parent: Number(fields[1]), seconds: ticks(11), childrenSeconds: ticks(13) };
  } catch {
    return null;
  }
}
