import { ServerUnreachable, UserError } from '../domain/user-error.ts';
import { StoreUnavailable } from '../store/index.ts';

/** What the shell gets to see. docs/guide.md lists the same. */
export const EXIT = {
  ok: 0,
  /** A fault of the program: please report it. */
  unexpected: 1,
  /** Wrong usage, catalog, bundle, batch id …: something for the caller to put right. */
  badInput: 2,
  /** The batch has ended, and images are missing: failed rows, a cancellation, a plan that could not be made, or what `verify` found. Something is left: `clean`, `forget`. `schedule trigger` has started nothing. */
  imagesMissing: 3,
  /** The Temporal server or the store cannot be used from here. */
  unreachable: 4,
  /** Ctrl-C; a batch that was being watched goes on. */
  interrupted: 130,
  /** Whoever read the output has seen enough, as `head` has; a shell says so of any program to which that happens. */
  readerGone: 141,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** No use of the Temporal server: it does not answer, or it lacks what batches need. */
export class ServerUnusable extends UserError {}

export function exitCodeOf(error: unknown): ExitCode {
  const unreachable = [ServerUnusable, ServerUnreachable, StoreUnavailable].some((kind) => error instanceof kind);
  if (unreachable) return EXIT.unreachable;
  return error instanceof UserError ? EXIT.badInput : EXIT.unexpected;
}
