import { Context } from '@temporalio/activity';
import type { Job } from '../domain/job.ts';
import type { Receipt } from '../domain/receipt.ts';
import { contentType, encodeImage, readRenderKey } from '../images/index.ts';
import type { RenderedImage, SamplerState } from '../models/pixart/index.ts';
import { renderRequest } from '../models/pixart/render-request.ts';
import type { Renderer } from '../models/renderer/index.ts';
import { copyName, objectName, roundCopyName } from '../records/layout.ts';
import { crc32c } from '../store/crc32c.ts';
import { ObjectKept, type ObjectStat, type ObjectStore, type OpenStore } from '../store/index.ts';
import type { RenderImageInput } from '../workflows/contract/activities.ts';
import { CHECKPOINT_SECONDS, RENDER_HOURS } from '../workflows/contract/limits.ts';
import { Checkpoint } from './checkpoint.ts';
import { earlierWork, Heartbeats } from './heartbeats.ts';
import { createJobReader } from './job-reader.ts';
import { createKeyedLock } from './keyed-lock.ts';
import { BundleMismatch, ObjectConflict, renderFailure } from './render-failure.ts';
import { NEVER_STOPS, RenderStop, type WorkerStop, WorkerStopping } from './render-stop.ts';
import { type Scratch, scratchOfStores } from './scratch.ts';
import { StageTimer } from './stage-timer.ts';

export type RenderImageDependencies = {
  openStore: OpenStore;
  renderer: Renderer;
  /** What the renderer's device is, for the receipts. */
  deviceName?: string | undefined;
  /** The least time between two checkpoints of one image; what is denoised in less has none. */
  checkpointSeconds?: number | undefined;
  /** URL of the store where checkpoints are kept; the batch's own unless given. */
  scratch?: string | undefined;
  /** When this process is told to stop, and how long images may go on then. */
  stop?: WorkerStop | undefined;
};

/**
 * The activity that makes one image: finds it by its render key or renders it, and leaves one object in the store and a copy
 * in the batch's folder, however often it is attempted. Its heartbeats carry a RenderProgress. Whoever watches hands it a timer.
 *
 * The activity throws ApplicationFailure with the name of what went wrong as its type, retryable where that may pass by itself (see
 * renderFailure); and CancelledFailure when it was cancelled.
 */
export function createRenderImage(dependencies: RenderImageDependencies) {
  const { openStore, renderer } = dependencies;
  const readJob = createJobReader();
  // Rows with one render key, or a lost attempt that still runs beside the next one: the second finds what the first made.
  const lock = createKeyedLock();
  const scratchIn = scratchOfStores(openStore);

  return async function renderImage(input: RenderImageInput, timer = new StageTimer()): Promise<Receipt> {
    const context = Context.current();
    const { attempt: attempts, heartbeatDetails } = context.info;
    const heartbeats = new Heartbeats((progress) => context.heartbeat(progress), earlierWork(heartbeatDetails));
    let unlock = (): void => {};
    try {
      if (input.bundleDigest !== renderer.bundle.digest) throw new BundleMismatch(input.bundleDigest, renderer.bundle);
      const store = await openStore(input.store);
      const job = await readJob(store, input.shard, input.index);
      unlock = await lock(`${store.url} ${objectName(job.renderKey, job.format)}`, context.cancellationSignal);
      const scratch = scratchIn(dependencies.scratch ?? input.store);
      return await findOrRender(input, job, { ...dependencies, store, scratch, heartbeats, timer });
    } catch (error) {
      heartbeats.last();
      throw renderFailure(error, attempts);
    } finally {
      unlock();
      heartbeats.stop();
    }
  };
}

/** What an attempt works with. */
type Surroundings = Omit<RenderImageDependencies, 'scratch'> & {
  store: ObjectStore;
  scratch: Scratch;
  heartbeats: Heartbeats;
  timer: StageTimer;
};

/** One image's way: find, resume, render, publish, receipt. */
async function findOrRender(input: RenderImageInput, job: Job, surroundings: Surroundings): Promise<Receipt> {
  const { store, renderer, heartbeats, timer } = surroundings;
  const object = objectName(job.renderKey, job.format);
  const checkpoint = checkpointOf(input, job, surroundings);
  const isBegunBefore = heartbeats.computations > 0;
  let created = false;

  let stat = await store.stat(object);
  if (stat === null) {
    try {
      const resume = await checkpoint.find();
      const image = await render(job, checkpoint, resume, surroundings);
      const bytes = await timer.measure('image_encode', () => encodeImage(image, { job, bundle: renderer.bundle }));
      ({ created, stat } = await timer.measure('store', () => store.create(object, bytes, contentType(job.format))));
      if (!created) await verify(store, stat, job.renderKey);
    } catch (error) {
      // In the background: whoever cancelled the image does not wait for a store that may be away.
      checkpoint.leave(async () => (await store.stat(object)) !== null);
      throw error;
    }
  }
  // Perhaps left behind by an attempt that was lost after it had made the object.
  await checkpoint.remove();
  const copy = await timer.measure('store', () => copyToBatch(store, object, input, job));

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
    outcome: created || isBegunBefore ? 'rendered' : 'reused',
    computations: heartbeats.computations,
    stepsComputed: heartbeats.stepsComputed,
    ...(created && surroundings.deviceName !== undefined && { device: surroundings.deviceName }),
    timings: timer.timings,
  };
}

/** Gives the batch its own copy, in a folder of its round where the store keeps another picture under the usual name. */
async function copyToBatch(
  store: ObjectStore,
  object: string,
  { batch, round }: RenderImageInput,
  { id, format }: Job,
): Promise<string> {
  const copy = copyName(batch, id, format);
  try {
    await store.copy(object, copy);
    return copy;
  } catch (error) {
    if (!(error instanceof ObjectKept)) throw error;
  }
  const another = roundCopyName(batch, round, id, format);
  await store.copy(object, another);
  return another;
}

function checkpointOf(input: RenderImageInput, job: Job, { scratch, renderer }: Surroundings): Checkpoint {
  const { info, log } = Context.current();
  const begunBefore = info.attempt > 1 || input.round > 1;
  return new Checkpoint({ scratch, job, bundleDigest: renderer.bundle.digest, begunBefore, log });
}

/** @throws RenderStop's reasons; where another worker is to go on, the latents are kept then */
async function render(
  job: Job,
  checkpoint: Checkpoint,
  resume: SamplerState | undefined,
  { renderer, heartbeats, timer, checkpointSeconds = CHECKPOINT_SECONDS, stop: worker = NEVER_STOPS }: Surroundings,
): Promise<RenderedImage> {
  const cancelled = Context.current().cancellationSignal;
  const stop = new RenderStop({ cancelled, worker, steps: job.steps, hours: RENDER_HOURS[job.size] });
  const asked = performance.now();
  const rendered = renderer.render(renderRequest(job), {
    signal: stop.signal,
    resume,
    states: {
      everyMs: checkpointSeconds * 1_000,
      onState: (state) => stop.isStateWanted && checkpoint.save(state),
    },
    onBegin: () => {
      stop.begin();
      heartbeats.begin(job.steps, resume?.step ?? 0);
    },
    onStep: (step) => {
      heartbeats.step(step);
      stop.step(step);
    },
  });
  try {
    const image = await Promise.race([rendered, stop.leave]);
    timer.add(asked, { waitMs: image.waitMs, ...image.timings });
    return image;
  } catch (error) {
    if (error instanceof WorkerStopping) await checkpoint.saved();
    throw error;
  } finally {
    stop.end();
  }
}

/** @throws ObjectConflict unless the object is whole and says that it is the image of this render key. */
async function verify(store: ObjectStore, stat: ObjectStat, renderKey: string): Promise<void> {
  const bytes = await store.read(stat.name);
  const sum = crc32c(bytes);
  if (bytes.length !== stat.bytes || sum !== stat.crc32c) {
    const expected = `${stat.bytes} bytes with CRC-32C ${stat.crc32c}`;
    throw new ObjectConflict(stat.name, `expected ${expected}, found ${bytes.length} bytes with ${sum}`);
  }
  const found = await readRenderKey(bytes);
  if (found === renderKey) return;
  throw new ObjectConflict(stat.name, `expected an image with that render key in it, found ${found ?? 'none'}`);
}
