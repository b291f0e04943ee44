import type { Job } from '../domain/job.ts';
import type { Timings } from '../domain/receipt.ts';
import { contentType, encodeImage, readRenderKey } from '../images/index.ts';
import { renderRequest } from '../models/pixart/render-request.ts';
import { type Renderer, untilAborted } from '../models/renderer/index.ts';
import { crc32c } from '../store/crc32c.ts';
import type { ObjectStat, ObjectStore } from '../store/index.ts';
import { RENDER_HOURS } from '../workflows/contract/limits.ts';
import type { Checkpoint } from './checkpoint.ts';
import { HandBack, isHandedBack, type WorkerStop } from './hand-back.ts';
import type { Pulse } from './pulse.ts';
import { ObjectConflict, RenderTooLong, WorkerStopping } from './render-failure.ts';

export type ObjectOrder = {
  store: ObjectStore;
  renderer: Renderer;
  job: Job;
  /** Name of the shared object. */
  object: string;
  pulse: Pulse;
  signal: AbortSignal;
  /** Where this picture's latents are kept on the way, and how often. */
  checkpoint: Checkpoint;
  checkpointSeconds: number;
  stop: WorkerStop;
};

export type MadeObject = { created: boolean; stat: ObjectStat; timings: Timings };

/** Renders the job and creates its shared object. Where somebody was faster, theirs stays, once it is verified. */
export async function renderObject(order: ObjectOrder): Promise<MadeObject> {
  const { store, renderer, job, object } = order;
  const image = await withinHours(RENDER_HOURS[job.size], (late, begin) => renderOrHandBack(order, late, begin));
  const storing = performance.now();
  const bytes = await encodeImage(image, { job, bundle: renderer.bundle });
  const { created, stat } = await store.create(object, bytes, contentType(job.format));
  if (!created) await verify(store, stat, job.renderKey);
  await order.checkpoint.remove();
  const storeMs = performance.now() - storing;
  return { created, stat, timings: { waitMs: image.waitMs, ...image.timings, storeMs } };
}

/** @throws WorkerStopping where the process is told to stop and the image cannot be finished in time; its latents are kept then */
async function renderOrHandBack(order: ObjectOrder, late: AbortSignal, begin: () => void) {
  const { renderer, job, pulse, checkpoint, checkpointSeconds } = order;
  const resume = await checkpoint.find();
  const handBack = new HandBack(order.stop, job.steps);
  const signal = AbortSignal.any([order.signal, late, handBack.signal]);
  const render = renderer.render(renderRequest(job), {
    signal,
    resume,
    states: {
      everyMs: checkpointSeconds * 1_000,
      onState: (state) => {
        // Whoever cancels an image does not want more of it.
        if (!signal.aborted || isHandedBack(signal.reason)) checkpoint.save(state);
      },
    },
    onBegin: () => {
      begin();
      handBack.begin();
      pulse.begin(job.steps, resume?.step ?? 0);
    },
    onStep: (step) => {
      pulse.step(step);
      handBack.step(step);
    },
  });
  try {
    return await untilAborted(render, handBack.giveUp);
  } catch (error) {
    if (!isHandedBack(error)) throw error;
    await checkpoint.saved();
    throw new WorkerStopping();
  } finally {
    handBack.end();
  }
}

/** Runs the work with a signal that is aborted when it takes longer than this from its `begin` on. */
async function withinHours<T>(hours: number, work: (late: AbortSignal, begin: () => void) => Promise<T>): Promise<T> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    const stop = () => late.abort(new RenderTooLong(`the device did not finish the image within ${hours} hours`));
    timer = setTimeout(stop, hours * 3_600_000);
  };
  try {
    return await work(late.signal, begin);
  } finally {
    clearTimeout(timer);
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
