/** How a workflow that was cancelled still writes its records, without waiting for a store that is away. */
import { ActivityFailure, RetryState } from '@temporalio/common';
import { CancellationScope, isCancellation, patched, sleep } from '@temporalio/workflow';
import { LAST_TRIES_SECONDS } from './contract/limits.ts';
import { lastRecords, type Records, records } from './orchestrator.ts';

/** Whether a cancelled workflow ends within the time that limits.ts states: one whose cancellation an earlier version handled waits as it did then. */
export const endsInTime = (): boolean => patched('end-in-time');

/**
 * Writes a record of the workflow, whether it is cancelled or not. Until then the activity goes on as long as it may; from then on it is
 * tried for some seconds more, and an attempt that is at work goes on while its store answers.
 *
 * @throws what the activity failed with; a cancellation where it was not even begun
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

/** An attempt that fails for another reason after its cancellation was asked for is not tried again either. */
export const wasCancelled = (error: unknown): boolean =>
  isCancellation(error) || (error instanceof ActivityFailure && error.retryState === RetryState.CANCEL_REQUESTED);
