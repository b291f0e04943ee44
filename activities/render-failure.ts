import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { UserError } from '../domain/user-error.ts';
import { StoreDenied } from '../store/index.ts';
import type { RenderFailureDetails } from '../workflows/contract/activities.ts';
import { WorkerStopping } from './render-stop.ts';

/**
 * What an attempt ends with. A problem that a person has to fix ends the job at once; anything else is tried again: a
 * renderer that died, a store that was not there, a fault in the device. A store that denies access is one of these too: at
 * night it is more often the machine's token service that is away than a person who took a permission. The type is the error's name, the details say which attempt it was.
 */
export function attemptFailure(error: unknown, attempts: number): unknown {
  if (error instanceof TemporalFailure && !(error instanceof ApplicationFailure)) return error;
  const details: RenderFailureDetails = { attempts };
  return ApplicationFailure.fromError(error, {
    nonRetryable: isFinal(error),
    details: [details],
    // Nothing is wrong: another worker may go on at once.
    ...(error instanceof WorkerStopping && { nextRetryDelay: HANDED_BACK_DELAY }),
  });
}

const isFinal = (error: unknown): boolean =>
  error instanceof HopelessJob || (error instanceof UserError && !(error instanceof StoreDenied));

/** Longer than the moment in which the worker that stops may still be given a task. */
const HANDED_BACK_DELAY = '1 second';

/** No other attempt of this job would help. */
class HopelessJob extends Error {}

/** The batch was planned, and its render keys were made, for another bundle than this worker holds. Queues by bundle keep such work away; this makes sure. */
export class BundleMismatch extends HopelessJob {
  override readonly name = 'BundleMismatch';

  constructor(expected: string, found: { name: string; digest: string }) {
    super(
      `bundle: expected digest ${expected}, found ${found.digest} (${found.name}) on this worker. ` +
        'Start render workers with the bundle that the batch was submitted with, then retry the batch.',
    );
  }
}

/** Under a shared object's name is something that is not the image which the name promises, and it cannot be replaced. */
export class ObjectConflict extends HopelessJob {
  override readonly name = 'ObjectConflict';

  constructor(object: string, fault: string, { message }: Error) {
    super(`${object} is damaged (${fault}) and cannot be replaced: ${message}. Remove it, then retry the batch.`);
  }
}
