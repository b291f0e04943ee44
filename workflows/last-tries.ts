/** How a cancelled workflow still writes its records, without waiting for a store that is down. */
import { ActivityFailure, RetryState } from '@temporalio/common';
import { CancellationScope, isCancellation, patched, sleep } from '@temporalio/workflow';
import { LAST_TRIES_SECONDS } from './contract/limits.ts';
import { lastRecords, type Records, records } from './orchestrator.ts';

/**
 * Whether a cancelled workflow ends within the time in limits.ts. One whose cancellation an earlier version handled
 * waits as it did then.
 */
export const endsInTime = (): boolean => patched('end-in-time');

/**
 * Writes a record of the workflow, whether or not it is cancelled. Before a cancellation, the activity has all its
 * time. After one, it is retried for a few more seconds, and an attempt in progress continues while its store answers.
 *
 * @throws the activity's failure; a cancellation if the activity never started
 */
export async function write<T>(record: (by: Records) => Promise<T>): Promise<T> {
  const around = CancellationScope.current();
  return CancellationScope.nonCancellable(async () => {
    if (around.consideredCancelled) return endsInTime() ? tryLast(record) : record(records);
    const patient = new CancellationScope();
    let isOver = false;
    around.cancelRequested.catch(() => {
      if (!isOver && endsInTime()) patient.cancel();
    });
    try {
      return await patient.run(() => record(records));
    } catch (error) {
      if (patient.consideredCancelled && wasCancelled(error)) return tryLast(record);
      throw error;
    } finally {
      isOver = true;
    }
  });
}

async function tryLast<T>(record: (by: Records) => Promise<T>): Promise<T> {
  const trying = new CancellationScope();
  const clock = new CancellationScope();
  clock
    .run(() => sleep(1_000 * LAST_TRIES_SECONDS))
    .then(
      () => trying.cancel(),
      () => undefined,
    );
  try {
    return await trying.run(() => record(lastRecords));
  } finally {
    clock.cancel();
  }
}

/** Includes an attempt that fails for another reason after its cancellation was requested: it is not retried either. */
export const wasCancelled = (error: unknown): boolean =>
  isCancellation(error) || (error instanceof ActivityFailure && error.retryState === RetryState.CANCEL_REQUESTED);
