import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchClient } from '../../client/index.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';
import { statOf } from '../bench/process-tree.ts';
import type { Interval } from '../overlap/intervals.ts';

/** What one GPU did, in milliseconds: its activities from start to end, and when its device was busy. */
export type GpuRecord = { images: Interval[]; busy: Interval[] };

export const ROLES = ['server', 'orchestrator', 'workers'] as const;

export type Role = (typeof ROLES)[number];

/** Processor seconds since the processes started. `at` is in milliseconds since 1970. */
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

/** Processor seconds between the first look of a time and the last, also of the orchestrator's busiest thread. */
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

/** What a Temporal server has counted since it started. */
export type ServerCounts = {
  /** Calls of workers and clients, by operation. */
  calls: Readonly<Record<string, number>>;
  /** Seconds in database calls, including waits for a core. */
  storeSeconds: number;
  storeCalls: number;
  /** Of these calls, changes of a workflow, which are made one at a time for each workflow. */
  updates: number;
};

/** Where a development server serves its metrics, which it prints shortly after it first answers. */
export async function metricsUrl(dbFile: string): Promise<string> {
  for (;;) {
    const url = /Metrics:\s+(\S+)/.exec(await readFile(`${dbFile}.log`, 'utf8'))?.[1];
    if (url !== undefined) return url.replace('localhost', '127.0.0.1');
    await sleep(100);
  }
}

export async function serverCounts(url: string): Promise<ServerCounts> {
  const answer = await fetch(url);
  return countsOf(await answer.text());
}

/** Reads Prometheus' text format. */
export function countsOf(text: string): ServerCounts {
  const calls: Record<string, number> = {};
  let [storeSeconds, storeCalls, updates] = [0, 0, 0];
  for (const [, name, labels, value] of text.matchAll(/^(\w+)\{(.*)\} (\S+)$/gm)) {
    if (name === 'persistence_latency_sum') storeSeconds += Number(value);
    if (name === 'persistence_latency_count') storeCalls += Number(value);
    if (name === 'persistence_latency_count' && labels!.includes('operation="UpdateWorkflowExecution"'))
      updates += Number(value);
    if (name !== 'service_requests' || !labels!.includes('service_name="frontend"')) continue;
    const operation = /operation="([^"]+)"/.exec(labels!)![1]!;
    calls[operation] = (calls[operation] ?? 0) + Number(value);
  }
  return { calls, storeSeconds, storeCalls, updates };
}

export const countsBetween = (before: ServerCounts, after: ServerCounts): ServerCounts => ({
  calls: Object.fromEntries(
    Object.entries(after.calls).map(([operation, calls]) => [operation, calls - (before.calls[operation] ?? 0)]),
  ),
  storeSeconds: after.storeSeconds - before.storeSeconds,
  storeCalls: after.storeCalls - before.storeCalls,
  updates: after.updates - before.updates,
});

/**
 * How long a batch's first shard had nothing scheduled, in milliseconds: while its jobs were read before the first
 * image, and while its receipts were written after the last.
 */
export async function shardPause({ temporal }: BatchClient, batch: string): Promise<number> {
  const query = `WorkflowId STARTS_WITH ${JSON.stringify(batchWorkflowId(batch))} AND WorkflowType = "renderShard"`;
  for await (const { workflowId } of temporal.workflow.list({ query })) {
    const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory();
    const times = events!.map(({ eventTime }) => 1_000 * Number(eventTime!.seconds) + Number(eventTime!.nanos) / 1e6);
    const images = new Set(
      events!
        .filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'renderImage')
        .map(({ eventId }) => String(eventId)),
    );
    const first = events!.findIndex(({ eventId }) => images.has(String(eventId)));
    const last = events!.findLastIndex(({ activityTaskCompletedEventAttributes: end }) =>
      images.has(String(end?.scheduledEventId)),
    );
    return times[first]! - times[0]! + times.at(-1)! - times[last]!;
  }
  throw new Error(`expected a shard of batch ${batch} in the server's list, found none`);
}
