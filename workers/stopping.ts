import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { type WorkerStop, WorkerStopping } from '../activities/index.ts';

/** Signals that stop a process. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The signal to accept no new work, finish the work in hand, however long that takes, and exit (docs/decisions/135). */
export const DRAIN_SIGNAL = 'SIGUSR2';

/** Every signal that ends a process which has nothing in hand yet. */
export const END_SIGNALS = [...STOP_SIGNALS, DRAIN_SIGNAL] as const;

/** From the end of the grace time until activities that do not stop are left to their heartbeat timeouts. */
export const FORCE_AFTER_MS = 30_000;

/**
 * For workers whose activities hear of the grace time from `listenForStop`. The SDK starts its own grace period at
 * either signal, and would cancel activities that a drain has to finish; it has no value for "never".
 */
export const WITHOUT_GRACE_TIME = { shutdownGraceTime: '30 days' } as const;

/** The signals that a process has received. */
type Stopping = {
  stop: WorkerStop;
  /** Stops it as a signal would. */
  tell(): void;
  /** Stops listening for signals. */
  ignore(): void;
};

/** Notifies the work in hand at once that the process has to stop or drain, and when its grace time is over. */
export function listenForStop(graceSeconds: number): Stopping {
  const [told, drained, over] = [new AbortController(), new AbortController(), new AbortController()];
  // Each image in hand listens.
  setMaxListeners(0, told.signal, drained.signal, over.signal);
  const graceMs = graceSeconds * 1_000;
  let timer: NodeJS.Timeout | undefined;
  const drain = (): void => drained.abort();
  const tell = (): void => {
    told.abort();
    timer ??= setTimeout(() => over.abort(new WorkerStopping()), graceMs);
  };
  for (const name of STOP_SIGNALS) process.on(name, tell);
  process.on(DRAIN_SIGNAL, drain);
  return {
    stop: { signal: told.signal, graceMs, over: over.signal, drain: drained.signal },
    tell,
    ignore: () => {
      clearTimeout(timer);
      for (const name of STOP_SIGNALS) process.off(name, tell);
      process.off(DRAIN_SIGNAL, drain);
    },
  };
}

/**
 * Runs until all workers have stopped, which the SDK makes them at either signal; one that fails, or networks that
 * cannot be loaded again, stop the others.
 *
 * @param stopping work in hand is left to another worker after its grace time; without it, we wait for the work to end
 * @throws what the first of them failed with; Error where they do not end when the grace time is over
 */
export async function untilStopped(
  workers: Worker[],
  networks: { unusable: AbortSignal }[],
  stopping?: Stopping,
): Promise<void> {
  const stopAll = (): void => {
    stopping?.tell();
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  for (const { unusable } of networks) unusable.addEventListener('abort', stopAll);
  const failing = (error: unknown): never => {
    stopAll();
    throw error;
  };
  const ends = Promise.allSettled(workers.map((worker) => worker.run().catch(failing)));
  const ended = await (stopping === undefined ? ends : Promise.race([ends, longAfter(stopping.stop.over)]));
  for (const run of ended) if (run.status === 'rejected') throw run.reason;
  for (const { unusable } of networks) unusable.throwIfAborted();
}

/** @throws Error some time after the signal */
async function longAfter(over: AbortSignal): Promise<never> {
  if (!over.aborted) await new Promise((resolve) => over.addEventListener('abort', resolve, { once: true }));
  await sleep(FORCE_AFTER_MS, null, { ref: false });
  throw new Error(
    `work in hand did not stop within ${FORCE_AFTER_MS / 1_000} s of the end of the grace time; another worker continues it`,
  );
}

/** Logs once what a drain does, and keeps a second signal from ending the process in the middle of it. */
export function tellDrain(log: Logger): void {
  let isTold = false;
  process.on(DRAIN_SIGNAL, () => {
    if (!isTold) log.info('told to drain: accepts no new work, finishes what is in hand, then exits');
    isTold = true;
  });
}
