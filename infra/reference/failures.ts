import { ApplicationFailure } from '@temporalio/common';
import { countsAfter, countsFor } from '../../activities/attempts.ts';
import { NotStored } from '../../activities/keep-storing.ts';
import { CaptionNotKept } from '../../activities/kept-captions.ts';
import { BundleMismatch, ObjectConflict, renderFailure, WorkersLost } from '../../activities/render-failure.ts';
import { WorkerStopping } from '../../activities/render-stop.ts';
import { CannotSign } from '../../credentials/cannot-sign.ts';
import { KeyMissing } from '../../encryption/keyring.ts';
import { SealBroken } from '../../encryption/sealed.ts';
import {
  RendererBug,
  RendererDied,
  RendererUnusable,
  RenderFault,
  RenderTooLong,
  TooLittleMemory,
} from '../../models/renderer/index.ts';
import { DamagedRecord } from '../../records/damaged.ts';
import { LimitReached } from '../../records/limits.ts';
import { ObjectKept, ObjectNotFound, StoreDenied, StoreUnavailable } from '../../store/index.ts';
import { code, table } from './markdown.ts';

type ErrorClass = { name: string; prototype: Error };

/** Failures of images and of the orchestrator's own steps, by the class that names them. */
const FAILURES: [ErrorClass, string][] = [
  [BundleMismatch, 'the worker has another bundle than the batch was submitted with'],
  [CannotSign, 'the worker has no signing key, the certificate has expired, or the key service is unavailable'],
  [CaptionNotKept, 'the text is not encoded yet, and this worker has no text encoder'],
  [DamagedRecord, 'a file that the batch wrote is truncated or altered'],
  [KeyMissing, 'the worker lacks an encryption key; the work waits for a worker that has it'],
  [LimitReached, 'the batch would exceed `--max-jobs`, `--max-cost` or a limit of the store'],
  [NotStored, 'the store did not accept the finished image within a day'],
  [ObjectConflict, 'the shared object is damaged, and the store does not allow replacing it'],
  [ObjectKept, 'the store does not allow replacing or removing a file: a retention policy, a hold, or the account'],
  [ObjectNotFound, 'a file that should be in the store is missing'],
  [RenderFault, 'rendering failed in the renderer, for example because memory ran out'],
  [RendererBug, 'a fault of the program in the renderer: please report it'],
  [RendererDied, 'the renderer process ended before it answered'],
  [RendererUnusable, 'the worker could start no renderer process and stops; another continues the image'],
  [RenderTooLong, 'the image had the device for longer than its size allows: the device hangs, or is very slow'],
  [SealBroken, 'encrypted data is damaged'],
  [StoreDenied, 'no bucket, no permission or no credentials'],
  [StoreUnavailable, 'a full disk, 429, 503, a broken connection'],
  [TooLittleMemory, 'the image does not fit into memory on this machine; it waits for a worker with `--large`'],
  [WorkersLost, 'worker after worker died with this image in hand'],
  [WorkerStopping, 'the worker stopped before the image was finished; another continues it'],
];

/** Asks the activity's own rule, for an image's first failure. */
function isRetried({ prototype }: ErrorClass): boolean {
  const attempts = countsAfter(countsFor(1, undefined), 'failed');
  const failure = renderFailure(Object.create(prototype) as Error, { computations: 0, stepsComputed: 0, attempts });
  return failure instanceof ApplicationFailure && !failure.nonRetryable;
}

export const failuresTable = (): string =>
  table(
    ['type', 'meaning', 'retried'],
    FAILURES.map(([kind, meaning]) => [code(kind.name), meaning, isRetried(kind) ? 'yes' : 'no']),
  );
