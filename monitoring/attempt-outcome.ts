import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { RENDER_ATTEMPTS } from '../workflows/contract/limits.ts';
import type { AttemptOutcome } from './render-metrics.ts';

/** What becomes of an attempt that ended with this error: the server decides by the same rules (RENDER_RETRY). */
export function failedOutcome(error: unknown, attempt: number): AttemptOutcome {
  if (error instanceof CancelledFailure) return 'cancelled';
  const final = (error instanceof ApplicationFailure && error.nonRetryable) || attempt >= RENDER_ATTEMPTS;
  return final ? 'failed' : 'retried';
}
