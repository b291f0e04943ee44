import type { Worker } from '@temporalio/worker';
import type { WorkerStop } from '../activities/index.ts';

/** What tells a process to stop. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Tells what is in hand at once that the process was told to stop: the SDK tells it only when the grace time is over. */
export function listenForStop(graceSeconds: number): { stop: WorkerStop; ignore: () => void } {
  const told = new AbortController();
  const abort = (): void => told.abort();
  for (const name of STOP_SIGNALS) process.on(name, abort);
  return {
    stop: { signal: told.signal, graceMs: graceSeconds * 1_000 },
    ignore: () => {
      for (const name of STOP_SIGNALS) process.off(name, abort);
    },
  };
}

/** Runs until all workers have stopped; one that fails, or networks that cannot be loaded again, stop the others. */
export async function untilStopped(workers: Worker[], networks: { unusable: AbortSignal }[]): Promise<void> {
  const stopAll = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  for (const { unusable } of networks) unusable.addEventListener('abort', stopAll);
  const runs = await Promise.allSettled(workers.map((worker) => worker.run().finally(stopAll)));
  for (const run of runs) if (run.status === 'rejected') throw run.reason;
  for (const { unusable } of networks) unusable.throwIfAborted();
}
