import { Context } from '@temporalio/activity';

const INTERVAL_MS = 5_000;

/** Heartbeats by the clock while an activity of one long step runs, so that a worker that died is noticed within its heartbeat timeout. */
export function beating<A extends unknown[], R>(activity: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  return async (...args) => {
    const context = Context.current();
    const timer = setInterval(() => context.heartbeat(), INTERVAL_MS);
    try {
      return await activity(...args);
    } finally {
      clearInterval(timer);
    }
  };
}
