import { ApplicationFailure, type ApplicationFailureOptions, TemporalFailure } from '@temporalio/common';

/**
 * What an attempt ends with. Only what may be over by itself is tried again; all else, a person's mistake, damaged data or a fault of this
 * program, would be found just the same, and is final. The type says which kind of error it was.
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
  const type = error instanceof Error ? kindOf(error) : 'Error';
  return ApplicationFailure.fromError(error, { ...more, message, type, nonRetryable: !mayPass(error) });
}

/** By its class: those for people share a name. */
const kindOf = (error: Error): string => error.constructor.name;

/** Errors of the language itself: what nobody thought of. */
const UNEXPECTED = ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError', 'URIError'];

/** Such a message says nothing without its kind. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const kind = kindOf(error);
  return UNEXPECTED.includes(kind) ? `unexpected ${kind}: ${error.message}` : error.message;
}
