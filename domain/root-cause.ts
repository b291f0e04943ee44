/** The first error of a chain: Temporal wraps an activity's error in that of each workflow on the way up. */
export function rootCause<T>(error: T): T | Error {
  return error instanceof Error && error.cause instanceof Error ? rootCause(error.cause) : error;
}
