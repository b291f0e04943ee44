import { readdirSync } from 'node:fs';
import { statOf } from '../bench/process-tree.ts';
import type { Interval } from '../overlap/intervals.ts';

export const ROLES = ['server', 'orchestrator', 'workers'] as const;

export type Role = (typeof ROLES)[number];

/** Processor seconds since the processes started, at a moment in milliseconds since 1970. */
export type Look = { at: number; seconds: Record<Role, number>; orchestratorThreads: ReadonlyMap<string, number> };

/** Linux only: elsewhere `ps` counts whole seconds. */
export function looked(pids: Record<Role, number[]>): Look {
  const seconds = (role: Role): number => pids[role].reduce((sum, pid) => sum + (statOf(pid)?.seconds ?? 0), 0);
  return {
    at: Date.now(),
    seconds: { server: seconds('server'), orchestrator: seconds('orchestrator'), workers: seconds('workers') },
    orchestratorThreads: new Map(pids.orchestrator.flatMap(threadsOf)),
  };
}

const threadsOf = (pid: number): [string, number][] =>
  readdirSync(`/proc/${pid}/task`).map((thread) => [thread, statOf(`${pid}/task/${thread}`)?.seconds ?? 0]);

/** What was used in a time between the first look and the last, and by the busiest of the orchestrator's threads. */
export type Used = { seconds: Record<Role, number>; busiestThread: number; ms: number };

/** @throws if fewer than two looks are within the time */
export function usedWithin(looks: readonly Look[], { start, end }: Interval): Used {
  const within = looks.filter(({ at }) => at >= start && at <= end);
  const [first, last] = [within[0], within.at(-1)];
  if (first === undefined || last === undefined || first === last)
    throw new Error(`too short to measure: ${Math.round(end - start)} ms with every GPU at work; give it more images`);
  const difference = (role: Role): number => last.seconds[role] - first.seconds[role];
  const threads = [...last.orchestratorThreads].map(
    ([thread, seconds]) => seconds - (first.orchestratorThreads.get(thread) ?? 0),
  );
  return {
    seconds: { server: difference('server'), orchestrator: difference('orchestrator'), workers: difference('workers') },
    busiestThread: Math.max(...threads),
    ms: last.at - first.at,
  };
}
