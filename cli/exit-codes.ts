import { fileTrouble } from '../domain/file-trouble.ts';
import { ServerUnreachable, UserError } from '../domain/user-error.ts';
import { StoreUnavailable } from '../store/index.ts';

/** Exit codes; docs/guide.md lists them too. */
export const EXIT = {
  ok: 0,
  /** A bug in the program: please report it. */
  unexpected: 1,
  /** Wrong usage, catalog, bundle, batch id …, or a full disk: the caller has to fix something. */
  badInput: 2,
  /**
   * The batch ended with images missing: failed rows, a cancellation, a plan that could not be made, or what `verify` found.
   * `clean` or `forget` left something behind. `schedule trigger` started nothing.
   */
  imagesMissing: 3,
  /** The Temporal server or the store cannot be used from here. */
  unreachable: 4,
  /** Ctrl-C; a batch that was being watched continues. */
  interrupted: 130,
  /** The reader of the output closed it, as `head` does: what a shell reports for a program that SIGPIPE ended. */
  readerGone: 141,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The Temporal server cannot be used: it does not answer, or it lacks what batches need. */
export class ServerUnusable extends UserError {}

export function exitCodeOf(error: unknown): ExitCode {
  const unreachable = [ServerUnusable, ServerUnreachable, StoreUnavailable].some((kind) => error instanceof kind);
  if (unreachable) return EXIT.unreachable;
  return error instanceof UserError || fileTrouble(error) !== null ? EXIT.badInput : EXIT.unexpected;
}
