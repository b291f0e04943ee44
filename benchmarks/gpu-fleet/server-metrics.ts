import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a Temporal server has counted since it started. */
export type ServerCounts = {
  /** Calls of workers and clients, by operation. */
  calls: Readonly<Record<string, number>>;
  /** Seconds in the database, waits for its one connection included. */
  storeSeconds: number;
  storeCalls: number;
  /** Of them, those that change a workflow, which are made one after the other for each. */
  updates: number;
};

/** Where a development server serves its metrics: it prints that a moment after it first answers. */
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
