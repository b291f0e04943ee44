import { readFileSync } from 'node:fs';
import { statOf, treeOf } from '../bench/process-tree.ts';

/** The processes of a fleet, by what they do. */
export const KINDS = ['server', 'orchestrator', 'worker', 'renderers', 'dev'] as const;

export type Kind = (typeof KINDS)[number];

export type Usage = Record<Kind, { processes: number; seconds: number }>;

/**
 * Processor seconds that a process and all below it have used since they began, by kind. Linux only: `ps` on other systems says whole
 * seconds.
 */
export function usageBelow(root: number): Usage {
  const usage = Object.fromEntries(KINDS.map((kind) => [kind, { processes: 0, seconds: 0 }])) as Usage;
  for (const pid of treeOf(root)) {
    const stat = statOf(pid);
    if (stat === null) continue;
    const kind = pid === root ? 'dev' : kindOf(pid);
    usage[kind].processes += 1;
    usage[kind].seconds += stat.seconds;
  }
  return usage;
}

/** What was used between two looks. */
export function used(before: Usage, after: Usage): Record<Kind, number> {
  return Object.fromEntries(KINDS.map((kind) => [kind, after[kind].seconds - before[kind].seconds])) as Record<
    Kind,
    number
  >;
}

/** Processor seconds of this process's children that have ended and been waited for. */
export function secondsOfEndedChildren(): number {
  return statOf(process.pid)!.childrenSeconds;
}

function kindOf(pid: number): Kind {
  const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  if (line.includes('start-dev')) return 'server';
  if (line.includes('models/renderer/')) return 'renderers';
  if (line.includes('--orchestrator')) return 'orchestrator';
  if (line.includes('--renderer')) return 'worker';
  // What makes programs of the sources at a first start.
  return 'dev';
}
