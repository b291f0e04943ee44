import { Context } from '@temporalio/activity';
import type { Receipt, Timings } from '../domain/receipt.ts';
import type { Renderer } from '../models/renderer/index.ts';
import { copyName, objectName } from '../records/layout.ts';
import type { ObjectStore } from '../store/index.ts';
import type { RenderActivities, RenderImageInput } from '../workflows/contract/activities.ts';
import { CHECKPOINT_SECONDS } from '../workflows/contract/limits.ts';
import { Checkpoint } from './checkpoint.ts';
import { NEVER_STOPS, type WorkerStop } from './hand-back.ts';
import { createJobReader } from './job-reader.ts';
import { createKeyedLock } from './keyed-lock.ts';
import { earlierWork, Pulse } from './pulse.ts';
import { attemptFailure, BundleMismatch } from './render-failure.ts';
import { type MadeObject, type ObjectOrder, renderObject } from './render-object.ts';

export type RenderImageDependencies = {
  openStore: (url: string) => Promise<ObjectStore>;
  renderer: Renderer;
  /** What the renderer's device is, for the receipts. */
  deviceName?: string | undefined;
  /** The least time between two checkpoints of one image; what is denoised in less has none. */
  checkpointSeconds?: number | undefined;
  /** When this process is told to stop, and how long images may go on then. */
  stop?: WorkerStop | undefined;
};

/**
 * The activity that makes one image: finds it by its render key or renders it, and leaves one object in the store and a copy
 * in the batch's folder, however often it is attempted. Its heartbeats carry a RenderProgress.
 *
 * The activity throws ApplicationFailure: not retryable where no other attempt would help (UserError unless it is StoreDenied, BundleMismatch,
 * ObjectConflict), otherwise with the name of what went wrong as its type; and CancelledFailure when it was cancelled.
 */
export function createRenderImage({
  openStore,
  renderer,
  deviceName,
  checkpointSeconds = CHECKPOINT_SECONDS,
  stop = NEVER_STOPS,
}: RenderImageDependencies): RenderActivities['renderImage'] {
  const readJob = createJobReader();
  // Rows with one render key, or a lost attempt that still runs beside the next one: the second finds what the first made.
  const oneAtATime = createKeyedLock();

  async function attempt(input: RenderImageInput, pulse: Pulse, signal: AbortSignal): Promise<Receipt> {
    if (input.bundleDigest !== renderer.bundle.digest) throw new BundleMismatch(input.bundleDigest, renderer.bundle);
    const store = await openStore(input.store);
    const job = await readJob(store, input.shard, input.index);
    const object = objectName(job.renderKey, job.format);
    const copy = copyName(input.batch, job.id, job.format);
    const { info, log } = Context.current();
    const begunBefore = info.attempt > 1 || input.round > 1;
    const checkpoint = new Checkpoint({ store, job, bundleDigest: renderer.bundle.digest, begunBefore, log });
    return oneAtATime(`${store.url} ${object}`, signal, () =>
      makeImage({ store, renderer, job, object, pulse, signal, checkpoint, checkpointSeconds, stop }, copy, deviceName),
    );
  }

  return async function renderImage(input) {
    const context = Context.current();
    const { attempt: attempts, heartbeatDetails } = context.info;
    const pulse = new Pulse((progress) => context.heartbeat(progress), earlierWork(heartbeatDetails));
    try {
      return await attempt(input, pulse, context.cancellationSignal);
    } catch (error) {
      pulse.last();
      throw attemptFailure(error, attempts);
    } finally {
      pulse.stop();
    }
  };
}

const NOTHING_SPENT: Timings = { waitMs: 0, encodeMs: 0, denoiseMs: 0, decodeMs: 0, storeMs: 0 };

async function makeImage(order: ObjectOrder, copy: string, deviceName: string | undefined): Promise<Receipt> {
  const { store, job, object, pulse } = order;
  const begunBefore = pulse.computations;
  const found = await store.stat(object);
  const { created, stat, timings } = found
    ? { created: false, stat: found, timings: NOTHING_SPENT }
    : await renderOrLeave(order);
  // An attempt that was lost after it had made the object left this behind.
  if (found) await order.checkpoint.remove();
  await store.copy(object, copy);
  return {
    id: job.id,
    renderKey: job.renderKey,
    object,
    copy,
    bytes: stat.bytes,
    crc32c: stat.crc32c,
    width: job.width,
    height: job.height,
    // An object that appeared although an earlier attempt of this job had begun is taken for that attempt's.
    outcome: created || begunBefore > 0 ? 'rendered' : 'reused',
    computations: pulse.computations,
    stepsComputed: pulse.stepsComputed,
    ...(created && deviceName !== undefined && { device: deviceName }),
    timings,
  };
}

async function renderOrLeave(order: ObjectOrder): Promise<MadeObject> {
  try {
    return await renderObject(order);
  } catch (error) {
    const { store, object, checkpoint } = order;
    // In the background: whoever cancelled the image does not wait for a store that may be away.
    checkpoint.leave(async () => (await store.stat(object)) !== null);
    throw error;
  }
}
