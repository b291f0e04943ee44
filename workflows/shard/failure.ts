import { ActivityFailure, ApplicationFailure, RetryState, TimeoutFailure, TimeoutType } from '@temporalio/common';
import type { Failure, JobOutcome } from '../../domain/receipt.ts';
import type { EncodeActivities, RenderFailureDetails } from '../contract/activities.ts';
import { ENCODE_RETRY, KEY_MISSING, REASON_CHARACTERS, RENDER_RETRY } from '../contract/limits.ts';

/** What the manifest says of a job whose activity failed for good. */
export function failureOf(id: string, error: unknown): Failure {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  return { id, type: typeOf(cause), reason: reasonOf(cause), attempts: attemptsOf(error, cause) };
}

/** Whether nobody has encoded the job's texts, and all who tried to render it cannot. */
export const isCaptionLacking = (outcome: JobOutcome): boolean =>
  'reason' in outcome && outcome.type === 'CaptionNotKept';

/** Whether an activity came to a worker that could not read its input, which says nothing of what was to be done. */
export const isKeyMissing = (error: unknown): boolean =>
  error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && error.cause.type === KEY_MISSING;

function typeOf(cause: unknown): string {
  if (cause instanceof ApplicationFailure) return cause.type ?? 'Error';
  if (cause instanceof TimeoutFailure) return 'Timeout';
  return cause instanceof Error ? cause.name : 'Error';
}

/** For people, and not too long: what Temporal says of a timeout, and ONNX Runtime of a fault, is neither. */
export function reasonOf(cause: unknown): string {
  const reason = fullReason(cause);
  return reason.length > REASON_CHARACTERS ? `${reason.slice(0, REASON_CHARACTERS - 1)}…` : reason;
}

function fullReason(cause: unknown): string {
  if (cause instanceof TimeoutFailure) return timeoutReason(cause);
  return cause instanceof Error ? cause.message : String(cause);
}

function timeoutReason(timeout: TimeoutFailure): string {
  const before = timeout.cause instanceof Error ? `; before that: ${timeout.cause.message}` : '';
  switch (timeout.timeoutType) {
    case TimeoutType.HEARTBEAT:
      return `the worker went silent in the middle of the image: it died or was cut off${before}`;
    case TimeoutType.START_TO_CLOSE:
      return `one attempt took longer than any image may, the wait for its turn included${before}`;
    default:
      return `${timeout.message}${before}`;
  }
}

function attemptsOf(error: unknown, cause: unknown): number {
  const details =
    cause instanceof ApplicationFailure ? (cause.details?.[0] as RenderFailureDetails | undefined) : undefined;
  if (details?.attempts !== undefined) return details.attempts;
  if (!(error instanceof ActivityFailure) || error.retryState !== RetryState.MAXIMUM_ATTEMPTS_REACHED) return 1;
  const isEncoding = error.activityType === ('encodeCaptions' satisfies keyof EncodeActivities);
  return (isEncoding ? ENCODE_RETRY : RENDER_RETRY).maximumAttempts ?? 1;
}
