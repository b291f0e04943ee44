import { Context } from '@temporalio/activity';
import type { PictureSigner } from '../credentials/picture-signer.ts';
import type { Job } from '../domain/job.ts';
import type { Receipt } from '../domain/receipt.ts';
import { pipelineVersionOf } from '../domain/render-key.ts';
import { type ObjectSeal, PLAIN_OBJECTS } from '../encryption/object-seal.ts';
import { PIPELINE_VERSION } from '../models/pixart/index.ts';
import type { Renderer } from '../models/renderer/index.ts';
import { PicturePlace } from '../pictures/index.ts';
import { objectName } from '../records/layout.ts';
import { ObjectNotFound, type ObjectStore, type OpenStore } from '../store/index.ts';
import type { RenderImageInput } from '../workflows/contract/activities.ts';
import { RENDER_LOST_ATTEMPTS } from '../workflows/contract/limits.ts';
import { countsFor } from './attempts.ts';
import type { CaptionSource } from './caption-source.ts';
import { Checkpoint } from './checkpoint.ts';
import { Company } from './company.ts';
import { earlierWork, Heartbeats } from './heartbeats.ts';
import { HeldPictures } from './held-pictures.ts';
import { createJobReader } from './job-reader.ts';
import { keepStoring } from './keep-storing.ts';
import { createKeyedLock } from './keyed-lock.ts';
import { type How, type Making, makePicture } from './make-picture.ts';
import { Publication, type Published } from './publication.ts';
import { attemptEnd, BundleMismatch, renderFailure, WorkersLost } from './render-failure.ts';
import { NEVER_STOPS, RenderStop, type WorkerStop } from './render-stop.ts';
import { type Scratch, scratchOfStores } from './scratch.ts';
import { copyFor } from './signed-copy.ts';
import { StageTimer } from './stage-timer.ts';
import { tellingSilence } from './store-silence.ts';

export type RenderImageDependencies = {
  openStore: OpenStore;
  renderer: Renderer;
  captions: CaptionSource;
  /** Whether a prompt has more tokens than the model reads, for the receipts. */
  isTruncated?: ((prompt: string) => boolean) | undefined;
  /** What the renderer's device is, for the receipts. */
  deviceName?: string | undefined;
  /** The shortest time between two checkpoints of one image; an image that is denoised in less has none. */
  checkpointSeconds?: number | undefined;
  /** URL of the store for checkpoints; default: the batch's own. */
  scratch?: string | undefined;
  /** How checkpoints are encoded there; default: unencrypted. */
  seal?: ObjectSeal | undefined;
  /** When this process is told to stop, and how long images may go on then. */
  stop?: WorkerStop | undefined;
  /** Of this process; shared with everything else that accepts images. */
  held?: HeldPictures | undefined;
  /** Signs images of batches that request it; without it their images fail here. */
  signer?: PictureSigner | undefined;
};

/**
 * The activity that makes one image: finds it by its render key or renders it, and leaves one object in the store and a
 * copy in the batch's folder, however often it is attempted. Its heartbeats carry a RenderProgress. A caller that
 * measures passes a timer.
 *
 * The activity throws ApplicationFailure with the name of what went wrong as its type, retryable where that may pass by
 * itself (see renderFailure); and CancelledFailure when it was cancelled.
 */
export function createRenderImage(dependencies: RenderImageDependencies) {
  const { openStore, renderer, held = new HeldPictures() } = dependencies;
  const readJob = createJobReader((job) => pipelineVersionOf(job, renderer.bundle.digest, PIPELINE_VERSION) !== null);
  // Rows with one render key, or a lost attempt that still runs beside the next one: the second finds what the first made.
  const lock = createKeyedLock();
  const company = new Company();
  const scratchIn = scratchOfStores(openStore);

  return async function renderImage(input: RenderImageInput, timer = new StageTimer()): Promise<Receipt> {
    const context = Context.current();
    const { attempt, heartbeatDetails } = context.info;
    const heartbeats = new Heartbeats(
      (progress) => context.heartbeat(progress),
      earlierWork(heartbeatDetails ?? input.earlier),
      countsFor(attempt, heartbeatDetails),
    );
    let unlock = (): void => {};
    try {
      if (heartbeats.attempts.lost >= RENDER_LOST_ATTEMPTS) throw new WorkersLost(heartbeats.attempts.lost);
      if (input.bundleDigest !== renderer.bundle.digest) throw new BundleMismatch(input.bundleDigest, renderer.bundle);
      const { store, job } = await tellingSilence(heartbeats, input.store, async () => {
        const store = await openStore(input.store);
        return { store, job: await readJob(store, input.shard, input.index) };
      });
      heartbeats.nameImage({ ...(input.summary !== undefined && { image: input.summary }), id: job.id });
      const key = pictureKey(store, job);
      unlock = await held.whileWanted({ key, size: job.size }, () => lock(key, context.cancellationSignal));
      const scratch = scratchIn(dependencies.scratch ?? input.store);
      return await findOrRender(input, job, { ...dependencies, held, company, store, scratch, heartbeats, timer });
    } catch (error) {
      heartbeats.end(attemptEnd(error, context.cancellationDetails));
      throw renderFailure(error, heartbeats);
    } finally {
      unlock();
      heartbeats.stop();
    }
  };
}

const pictureKey = ({ url }: ObjectStore, { renderKey, format }: Job): string =>
  `${url} ${objectName(renderKey, format)}`;

/** What an attempt works with. */
type Surroundings = Omit<RenderImageDependencies, 'scratch'> & Making & { held: HeldPictures; scratch: Scratch };

/** One image's way: find, resume, render, publish, receipt. */
async function findOrRender(input: RenderImageInput, job: Job, surroundings: Surroundings): Promise<Receipt> {
  const { store, heartbeats, timer } = surroundings;
  // Before anything is rendered.
  const putCopy = copyFor(store, job, surroundings.signer);
  const checkpoint = checkpointOf(input, job, surroundings);
  const isBegunBefore = heartbeats.computations > 0;
  const place = new PicturePlace(store, job);
  const found = await tellingSilence(heartbeats, store.url, () => place.find());
  if (found === null) tellDamage(place);

  let published: Published;
  let how: How = {};
  try {
    const made = found === null ? await makePicture(job, checkpoint, await checkpoint.find(), surroundings) : null;
    how = made?.how ?? {};
    const picture = found ?? made!.file;
    published = await publish(new Publication({ input, job, place, picture, putCopy, timer }), job, surroundings);
  } catch (error) {
    // Somebody removed the object before the batch had its copy: there is nothing left to reuse.
    if (found !== null && error instanceof ObjectNotFound) return findOrRender(input, job, surroundings);
    // In the background: cancelling an image must not wait for a store that may be unavailable.
    checkpoint.leave(async () => (await store.stat(place.name)) !== null);
    throw error;
  }
  // Perhaps left behind by an attempt that was lost after it had made the object.
  await checkpoint.remove();

  const { object, created, copy, signed } = published;
  return {
    id: job.id,
    renderKey: job.renderKey,
    object: object.name,
    copy,
    bytes: object.bytes,
    crc32c: object.crc32c,
    ...(signed !== undefined && { signed }),
    ...(surroundings.isTruncated?.(job.prompt) && { promptTruncated: true as const }),
    width: job.width,
    height: job.height,
    // An object that appeared although an earlier attempt of this job had begun is taken for that attempt's.
    outcome: created || isBegunBefore ? 'rendered' : 'reused',
    computations: heartbeats.computations,
    stepsComputed: heartbeats.stepsComputed,
    ...(created && surroundings.deviceName !== undefined && { device: surroundings.deviceName }),
    ...(created && how),
    timings: timer.timings,
  };
}

async function publish(publication: Publication, job: Job, surroundings: Surroundings): Promise<Published> {
  const { held, store, heartbeats, stop: worker = NEVER_STOPS } = surroundings;
  const key = pictureKey(store, job);
  const { cancellationSignal: cancelled, log } = Context.current();
  const stop = new RenderStop({ cancelled, worker });
  try {
    return await keepStoring(publication, { held, key, size: job.size, stop, heartbeats, log });
  } finally {
    stop.end();
  }
}

function tellDamage({ name, damaged }: PicturePlace): void {
  if (damaged === null) return;
  Context.current().log.warn('a damaged object is rendered again', { object: name, fault: damaged.fault });
}

function checkpointOf(
  input: RenderImageInput,
  job: Job,
  { scratch, renderer, heartbeats, seal = PLAIN_OBJECTS }: Surroundings,
): Checkpoint {
  const { info, log } = Context.current();
  // A person who resets the activity has its attempts counted from 1 again.
  const begunBefore = info.attempt > 1 || input.round > 1 || heartbeats.computations > 0;
  return new Checkpoint({ scratch, job, bundleDigest: renderer.bundle.digest, begunBefore, seal, log });
}
