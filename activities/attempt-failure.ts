import { ApplicationFailure, type ApplicationFailureOptions, TemporalFailure } from '@temporalio/common';

/**
 * The failure that an attempt ends with. Only transient errors are retried; everything else (a person's mistake,
 * damaged data, a bug) would fail the same way again, and is final. The failure's type is the kind of error.
 *
 * @param mayPass whether another attempt may succeed without anyone doing anything
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

/** Errors of the language itself, which are bugs. */
const UNEXPECTED = ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError', 'URIError'];

/** Such a message says nothing without its kind. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const kind = kindOf(error);
  return UNEXPECTED.includes(kind) ? `unexpected ${kind}: ${error.message}` : error.message;
}
