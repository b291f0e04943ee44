import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { AttemptOutcome } from './render-metrics.ts';

/** What becomes of an attempt that ended with this error: the activity itself says which one is the last. */
export function failedOutcome(error: unknown): AttemptOutcome {
  if (error instanceof CancelledFailure) return 'cancelled';
  return error instanceof ApplicationFailure && error.nonRetryable ? 'failed' : 'retried';
}
