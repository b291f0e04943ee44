import { setTimeout as sleep } from 'node:timers/promises';
import { NoOrchestrator } from '../../client/progress.ts';

export const LOOK_EVERY_MS = 50;
export const REACHED_WITHIN_MS = 180_000;

/** Of a command that orchestrators answer, while the only one is started again. */
export async function answered<T>(command: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + REACHED_WITHIN_MS; ; ) {
    try {
      return await command();
    } catch (error) {
      if (!(error instanceof NoOrchestrator) || performance.now() > end) throw error;
    }
  }
}

export async function until(holds: () => boolean | Promise<boolean>, ms: number, what: string): Promise<void> {
  for (const end = performance.now() + ms; !(await holds()); await sleep(LOOK_EVERY_MS)) {
    if (performance.now() > end) throw new Error(`expected within ${ms / 1_000} s: ${what}`);
  }
}

export async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  const late = new AbortController();
  const timeout = sleep(ms, undefined, { signal: late.signal }).then(() => {
    throw new Error(`expected within ${ms / 1_000} s: ${what}`);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    late.abort();
    timeout.catch(() => {});
  }
}
