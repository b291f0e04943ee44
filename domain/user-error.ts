/**
 * A problem that a person has to fix: what was expected, what was found, where, and what to do.
 * It is never retried, and it is printed without a stack trace.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}
