import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { AttemptOutcome } from './render-metrics.ts';

/** The outcome of an attempt that ended with this error; the activity itself marks the last one as non-retryable. */
export function failedOutcome(error: unknown): AttemptOutcome {
  if (error instanceof CancelledFailure) return 'cancelled';
  return error instanceof ApplicationFailure && error.nonRetryable ? 'failed' : 'retried';
}
