/**
 * A problem for the user to fix: what was expected, what was found, where, and what to do.
 * It is never retried, and printed without a stack trace.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** The Temporal server does not answer: it is restarting, or the connection is broken. */
export class ServerUnreachable extends UserError {}

const IDS_SHOWN = 5;

/** The first of some ids, for a message. */
export const someOf = (ids: readonly string[]): string =>
  `${ids.slice(0, IDS_SHOWN).join(', ')}${ids.length > IDS_SHOWN ? ' …' : ''}`;
