import { ApplicationFailure, type ApplicationFailureOptions, TemporalFailure } from '@temporalio/common';
import { UserError } from '../domain/user-error.ts';

/**
 * What an attempt ends with. Only what may be over by itself is tried again; all else, a person's mistake, damaged data or a fault of this
 * program, would be found just the same, and is final. The type is the error's name.
 *
 * @param mayPass whether another attempt may succeed though nobody does anything
 */
export function attemptFailure(
  error: unknown,
  mayPass: (error: unknown) => boolean,
  more: Pick<ApplicationFailureOptions, 'details' | 'nextRetryDelay'> = {},
): TemporalFailure {
  if (error instanceof TemporalFailure) return error;
  const message = messageOf(error);
  const type = error instanceof Error ? error.name : 'Error';
  return ApplicationFailure.fromError(error, { ...more, message, type, nonRetryable: !mayPass(error) });
}

/** What nobody thought of has a message that says nothing without its kind. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isUnexpected(error) ? `unexpected ${error.name}: ${error.message}` : error.message;
}

const isUnexpected = (error: Error): boolean =>
  !(error instanceof UserError) &&
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, URIError].some(({ prototype }) => {
    return Object.getPrototypeOf(error) === prototype && error.name === prototype.name;
  });
