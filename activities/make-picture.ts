import { Context } from '@temporalio/activity';
import type { Job } from '../domain/job.ts';
import type { Receipt } from '../domain/receipt.ts';
import { encodeImage } from '../images/index.ts';
import type { SamplerState } from '../models/pixart/index.ts';
import { renderRequest } from '../models/pixart/render-request.ts';
import type { Renderer, RendererRenderOptions } from '../models/renderer/index.ts';
import type { ObjectStore } from '../store/index.ts';
import { CHECKPOINT_SECONDS, RENDER_HOURS } from '../workflows/contract/limits.ts';
import type { CaptionSource } from './caption-source.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Company } from './company.ts';
import type { Heartbeats } from './heartbeats.ts';
import { NEVER_STOPS, RenderStop, type WorkerStop, WorkerStopping } from './render-stop.ts';
import type { StageTimer } from './stage-timer.ts';
import { tellingSilence } from './store-silence.ts';

/** What a picture is made with: see RenderImageDependencies. */
export type Making = {
  store: ObjectStore;
  renderer: Renderer;
  captions: CaptionSource;
  company: Company;
  checkpointSeconds?: number | undefined;
  stop?: WorkerStop | undefined;
  heartbeats: Heartbeats;
  timer: StageTimer;
};

/** What receipts record of how an image was computed. */
export type How = Pick<Receipt, 'thrift' | 'microBatch'>;
type Made = { file: Uint8Array; how: How };

/**
 * Makes an image and returns its file. The pixels, which are many times as large, are dropped: the file may have to wait
 * for its store for hours.
 *
 * @throws RenderStop's reasons; if another worker is to continue the image, its latents are stored by then
 */
export async function makePicture(
  job: Job,
  checkpoint: Checkpoint,
  resume: SamplerState | undefined,
  making: Making,
): Promise<Made> {
  const { store, renderer, captions, company, heartbeats, timer } = making;
  const cancelled = Context.current().cancellationSignal;
  const stop = new RenderStop({ cancelled, worker: making.stop ?? NEVER_STOPS, steps: job.steps });
  const request = renderRequest(job);
  let leave = (): void => {};
  try {
    const sought = performance.now();
    // Not as one of the company: images that wait for this one must not wait for its store.
    const encodeMissing = await tellingSilence(heartbeats, store.url, () => captions(store, request, stop.signal));
    const soughtMs = performance.now() - sought;
    leave = await company.join(heartbeats, stop.signal);
    const joined = performance.now();
    let encodeMs = 0;
    const seen = await encodeMissing((ms) => {
      encodeMs += ms;
    });
    // One stage, without the wait in the middle of it.
    timer.add(joined - soughtMs, { textEncodeMs: performance.now() - joined + soughtMs });
    const asked = performance.now();
    const rendered = renderer.render(request, seen, renderOptions(job, checkpoint, resume, making, stop));
    const image = await Promise.race([rendered, stop.leave]);
    timer.add(asked, { waitMs: image.waitMs, ...image.timings });
    const { denoiseMs, decodeMs } = image.timings;
    timer.charge(encodeMs + image.deviceShare * (denoiseMs + decodeMs));
    const file = await timer.measure('image_encode', () => encodeImage(image, { job, bundle: renderer.bundle }));
    const { thrift, microBatch } = image;
    return { file, how: { ...(thrift && { thrift }), ...(microBatch && { microBatch }) } };
  } catch (error) {
    if (error instanceof WorkerStopping) await checkpoint.saved();
    throw error;
  } finally {
    leave();
    stop.end();
  }
}

function renderOptions(
  job: Job,
  checkpoint: Checkpoint,
  resume: SamplerState | undefined,
  { heartbeats, checkpointSeconds = CHECKPOINT_SECONDS }: Making,
  stop: RenderStop,
): RendererRenderOptions {
  return {
    signal: stop.signal,
    limitMs: RENDER_HOURS[job.size] * 3_600_000,
    isAlone: heartbeats.attempts.hasCrashed,
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
  };
}
