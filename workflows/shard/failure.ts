import { ActivityFailure, ApplicationFailure, RetryState, TimeoutFailure, TimeoutType } from '@temporalio/common';
import type { Failure, JobOutcome } from '../../domain/receipt.ts';
import type { EncodeActivities, RenderFailureDetails } from '../contract/activities.ts';
import { ENCODE_RETRY, KEY_MISSING, REASON_CHARACTERS, RENDER_RETRY } from '../contract/limits.ts';

/** The manifest's entry for a job whose activity failed for good. */
export function failureOf(id: string, error: unknown): Failure {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  return { id, type: typeOf(cause), reason: reasonOf(cause), attempts: attemptsOf(error, cause) };
}

/** Whether the job's texts are not encoded, and no worker that tried to render it can encode them. */
export const isCaptionLacking = (outcome: JobOutcome): boolean =>
  'reason' in outcome && outcome.type === 'CaptionNotKept';

/** Whether an activity reached a worker that could not decrypt its input, which says nothing about the job. */
export const isKeyMissing = (error: unknown): boolean =>
  error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && error.cause.type === KEY_MISSING;

function typeOf(cause: unknown): string {
  if (cause instanceof ApplicationFailure) return cause.type ?? 'Error';
  if (cause instanceof TimeoutFailure) return 'Timeout';
  return cause instanceof Error ? cause.name : 'Error';
}

/** A reason for people, of limited length; Temporal's messages about timeouts and ONNX Runtime's about errors are neither. */
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
      return `the worker went silent in the middle of the image: it died or lost its connection${before}`;
    case TimeoutType.START_TO_CLOSE:
      return `one attempt, including its wait for the device, took longer than any image may${before}`;
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
