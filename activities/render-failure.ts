import { type ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import { CannotSign } from '../credentials/cannot-sign.ts';
import { RendererBug, RendererDied, RendererUnusable, RenderFault, TooLittleMemory } from '../models/renderer/index.ts';
import { DamagedRecord } from '../records/damaged.ts';
import { ObjectNotFound, StoreDenied, StoreUnavailable } from '../store/index.ts';
import type { EarlierWork, RenderFailureDetails } from '../workflows/contract/activities.ts';
import { RENDER_ATTEMPTS, RENDER_PAUSE_SECONDS } from '../workflows/contract/limits.ts';
import { attemptFailure } from './attempt-failure.ts';
import type { AttemptCounts, AttemptEnd } from './attempts.ts';
import { CaptionNotKept } from './kept-captions.ts';
import { WorkerStopping } from './render-stop.ts';

/** What has become of a job: its work, and its attempts, this one and how it ended included. */
type JobSoFar = EarlierWork & { attempts: AttemptCounts };

/**
 * What an attempt ends with. A renderer that died, a fault or a hang of the device, a store that is away may be over by
 * themselves and are tried again; anything else would be found just the same, after the picture has been computed once
 * more. A store that denies access is waited for too: at night it is more often the machine's token service that is
 * away than a person who took a permission; a copy whose object went away is made from another; and a plan that the
 * orchestrator has read is damaged on this worker's way to it alone. After too many failed attempts it is final too.
 * The details say which attempt it was; of one that was cancelled, what had been computed.
 */
export function renderFailure(error: unknown, job: JobSoFar): unknown {
  if (error instanceof CancelledFailure && job.computations > 0) return cancelledFailure(error, job);
  const { attempts } = job;
  const details: RenderFailureDetails = { attempts: attempts.attempt };
  const isLast = attempts.failed >= RENDER_ATTEMPTS;
  return attemptFailure(error, (thrown) => mayPass(thrown) && !isLast, {
    details: [details],
    nextRetryDelay: retryDelay(error, attempts.failed),
  });
}

/** By failures: to the server an image that was paused often is one that has failed often. */
function retryDelay(error: unknown, failed: number): `${number} seconds` {
  // Nothing is wrong: another worker may go on at once.
  if (isHandedBack(error)) return `${HANDED_BACK_SECONDS} seconds`;
  if (error instanceof CaptionNotKept) return `${captionDelay(failed)} seconds`;
  const { first, factor, most } = RENDER_PAUSE_SECONDS;
  return `${Math.min(first * factor ** Math.max(failed - 1, 0), most)} seconds`;
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
  RendererUnusable,
  WorkerStopping,
  StoreUnavailable,
  StoreDenied,
  ObjectNotFound,
  DamagedRecord,
];

/** Kinds of faults that this worker would meet again, but a larger machine may not. */
const HERE_FOR_GOOD = [RendererBug, TooLittleMemory];

const mayPass = (error: unknown): boolean =>
  PASSING.some((kind) => error instanceof kind) && !HERE_FOR_GOOD.some((kind) => error instanceof kind);

/** Longer than the moment in which the worker that stops may still be given a task. */
const HANDED_BACK_SECONDS = 1;

/** Another worker is about to encode the text, or nobody will for the night: 5 minutes in all, then the shard sees to it. */
const captionDelay = (failed: number): number => 5 * 2 ** Math.min(failed - 1, 6);

/** A worker's end, and what a person does to one attempt, say nothing about the image. */
export function attemptEnd(error: unknown, details?: Partial<ActivityCancellationDetails>): AttemptEnd {
  if (error instanceof CancelledFailure && details?.reset) return 'reset';
  if (error instanceof CancelledFailure || isHandedBack(error)) return 'interrupted';
  return error instanceof RendererDied || error instanceof RenderFault ? 'crashed' : 'failed';
}

const isHandedBack = (error: unknown): boolean => error instanceof WorkerStopping || error instanceof RendererUnusable;

/** Nobody could say what went wrong: most likely the image takes its worker with it, as where a container runs out of memory. */
export class WorkersLost extends Error {
  override readonly name = 'WorkersLost';

  constructor(lost: number) {
    super(
      `${lost} workers died or lost their connection with this image in hand; the reason is unknown. ` +
        'Check whether their machines or containers ran out of memory, then retry the batch.',
    );
  }
}

/**
 * The batch was planned, and its render keys were made, for another bundle than this worker holds. Queues by bundle
 * keep such work away; this makes sure.
 */
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
    super(
      `${object} is damaged (${fault}) and cannot be replaced: ${message.replace(/\.$/, '')}. Remove it, then retry the batch.`,
    );
  }
}
