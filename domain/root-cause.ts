/** What began a chain of errors: Temporal wraps an activity's in that of each workflow on its way. */
export function rootCause<T>(error: T): T | Error {
  return error instanceof Error && error.cause instanceof Error ? rootCause(error.cause) : error;
}
