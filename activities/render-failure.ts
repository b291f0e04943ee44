import { CancelledFailure } from '@temporalio/common';
import { CannotSign } from '../credentials/cannot-sign.ts';
import { RendererBug, RendererDied, RenderFault, TooLittleMemory } from '../models/renderer/index.ts';
import { ObjectNotFound, StoreDenied, StoreUnavailable } from '../store/index.ts';
import type { EarlierWork, RenderFailureDetails } from '../workflows/contract/activities.ts';
import { attemptFailure } from './attempt-failure.ts';
import { NO_WORK } from './heartbeats.ts';
import { CaptionNotKept } from './kept-captions.ts';
import { RenderTooLong, WorkerStopping } from './render-stop.ts';

/**
 * What an attempt ends with. A renderer that died, a fault or a hang of the device, a store that is away may be over by themselves and
 * are tried again; anything else would be found just the same, after the picture has been computed once more. A store that denies
 * access is waited for too: at night it is more often the machine's token service that is away than a person who took a
 * permission; and a copy whose object went away is made from another. The details say which attempt it was; of one that was cancelled,
 * what had been computed.
 */
export function renderFailure(error: unknown, attempts: number, work = NO_WORK): unknown {
  if (error instanceof CancelledFailure && work.computations > 0) return cancelledFailure(error, work);
  const details: RenderFailureDetails = { attempts };
  return attemptFailure(error, mayPass, {
    details: [details],
    // Nothing is wrong: another worker may go on at once.
    ...(error instanceof WorkerStopping && { nextRetryDelay: HANDED_BACK_DELAY }),
    ...(error instanceof CaptionNotKept && { nextRetryDelay: captionDelay(attempts) }),
  });
}

function cancelledFailure({ message, cause }: CancelledFailure, work: EarlierWork): CancelledFailure {
  const { computations, stepsComputed } = work;
  return new CancelledFailure(message, [{ computations, stepsComputed } satisfies EarlierWork], cause);
}

const PASSING = [
  CannotSign,
  CaptionNotKept,
  RendererDied,
  RenderFault,
  RenderTooLong,
  WorkerStopping,
  StoreUnavailable,
  StoreDenied,
  ObjectNotFound,
];

/** Kinds of a fault that this worker would meet again: a larger machine may not. */
const HERE_FOR_GOOD = [RendererBug, TooLittleMemory];

const mayPass = (error: unknown): boolean =>
  PASSING.some((kind) => error instanceof kind) && !HERE_FOR_GOOD.some((kind) => error instanceof kind);

/** Longer than the moment in which the worker that stops may still be given a task. */
const HANDED_BACK_DELAY = '1 second';

/** Another worker is about to encode the text, or nobody will for the night: 5 minutes in all, then the shard sees to it. */
const captionDelay = (attempts: number): `${number} seconds` => `${5 * 2 ** Math.min(attempts - 1, 6)} seconds`;

/** The batch was planned, and its render keys were made, for another bundle than this worker holds. Queues by bundle keep such work away; this makes sure. */
export class BundleMismatch extends Error {
  override readonly name = 'BundleMismatch';

  constructor(expected: string, found: { name: string; digest: string }) {
    super(
      `bundle: expected digest ${expected}, found ${found.digest} (${found.name}) on this worker. ` +
        'Start render workers with the bundle that the batch was submitted with, then retry the batch.',
    );
  }
}

/** Under a shared object's name is something that is not the image which the name promises, and it cannot be replaced. */
export class ObjectConflict extends Error {
  override readonly name = 'ObjectConflict';

  constructor(object: string, fault: string, { message }: Error) {
    super(`${object} is damaged (${fault}) and cannot be replaced: ${message}. Remove it, then retry the batch.`);
  }
}
