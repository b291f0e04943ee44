import { readFileSync } from 'node:fs';
import { statOf, treeOf } from '../bench/process-tree.ts';

/** The kinds of processes in a fleet. */
export const KINDS = ['server', 'orchestrator', 'worker', 'renderers', 'encoder', 'dev'] as const;

export type Kind = (typeof KINDS)[number];

/** By process id: how much each has used since it started. */
export type Usage = ReadonlyMap<number, { kind: Kind; seconds: number }>;

/**
 * Processor seconds that a process and all its descendants have used since they started. Linux only: elsewhere `ps`
 * reports whole seconds.
 */
export function usageBelow(root: number): Usage {
  const usage = new Map<number, { kind: Kind; seconds: number }>();
  for (const pid of treeOf(root)) {
    const stat = statOf(pid);
    const kind = pid === root ? 'dev' : kindOf(pid);
    if (stat !== null && kind !== null) usage.set(pid, { kind, seconds: stat.seconds });
  }
  return usage;
}

/** The difference between two samples, for processes in both: the encoder process comes and goes. */
export function used(before: Usage, after: Usage): Record<Kind, number> {
  const seconds = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>;
  for (const [pid, now] of after) {
    const then = before.get(pid);
    if (then !== undefined) seconds[now.kind] += now.seconds - then.seconds;
  }
  return seconds;
}

/** How many processes there are of a kind. */
export const countOf = (usage: Usage, kind: Kind): number =>
  [...usage.values()].filter((process) => process.kind === kind).length;

/** Processor seconds of this process's children that have exited and been waited for. */
export function secondsOfEndedChildren(): number {
  return statOf(process.pid)!.childrenSeconds;
}

/** `null` for a process that has exited. */
function kindOf(pid: number): Kind | null {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return null;
  }
  if (line.includes('start-dev')) return 'server';
  if (line.includes('models/renderer/child.mjs encoder')) return 'encoder';
  if (line.includes('models/renderer/')) return 'renderers';
  if (line.includes('--orchestrator')) return 'orchestrator';
  if (line.includes('--renderer')) return 'worker';
  // The process that builds the programs from the sources on a first start.
  return 'dev';
}
