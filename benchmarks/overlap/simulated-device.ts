import { setTimeout as sleep } from 'node:timers/promises';
import { Mutex } from 'async-mutex';
import { imagesInCall, type RenderRequest } from '../../models/pixart/index.ts';
import { Tensor } from '../../models/pixart/onnxruntime.ts';
import { StepBatcher } from '../../models/pixart/step-batcher.ts';
import { ChildLine } from '../../models/renderer/child-line.ts';
import { pictureFacts, placesOf, type Renderer, type RendererRenderOptions } from '../../models/renderer/index.ts';
import type { PartOfDescription } from '../../models/renderer/picture-facts.ts';
import { SharedTime } from '../../models/renderer/shared-time.ts';
import type { Interval } from './intervals.ts';

export type SimulatedDevice = {
  bundle: Renderer['bundle'];
  description: PartOfDescription;
  microBatch: number;
  /** Of a call with one image, and of each further one in it. */
  stepMs: number;
  furtherMs: number;
  decodeMs: number;
  /** The side of every image in pixels; default: the requested size. */
  side?: number;
};

/** How soon after a call the next one comes if it was waiting already. */
const AT_ONCE_MS = 2;

/**
 * A device that takes time instead of computing, of which it is known exactly when it is busy. What waits for it and what shares its calls
 * is the renderer's own: line of places and step batcher.
 */
export function simulatedDevice(device: SimulatedDevice, busy: Interval[]): Renderer {
  const { description } = device;
  const microBatch = { images: device.microBatch, description };
  const line = new ChildLine(['device'], { places: device.microBatch });
  const time = new SharedTime();
  // A call and a decode block the child's one thread.
  const thread = new Mutex();
  let last = { end: 0, seen: 0 };
  const work = (ms: number): Promise<void> =>
    thread.runExclusive(async () => {
      const now = performance.now();
      // Timers are late, by much on a busy machine. A device that has its next call at once has not waited for it.
      const start = now - last.seen < AT_ONCE_MS ? last.end : now;
      const end = start + ms;
      await sleep(Math.max(0, end - now));
      last = { end, seen: performance.now() };
      busy.push({ start, end });
    });
  const batcher = new StepBatcher({
    async run({ latents }) {
      await work(device.stepMs + device.furtherMs * (latents!.dims[0]! - 1));
      return latents!.data as Float32Array;
    },
  });

  async function denoise(request: RenderRequest, onStep: RendererRenderOptions['onStep']): Promise<number> {
    const facts = pictureFacts(request, description);
    const { size, bin, steps } = request;
    const most = imagesInCall(facts, device.microBatch);
    const place = batcher.enter({ name: most === 1 ? Symbol('alone') : `${size} ${bin.width}`, most });
    // One row and one token: the time is that of an image.
    const caption = { states: new Float32Array(1), tokens: 1 };
    const positions = { position_embedding: new Tensor('float32', new Float32Array(1), [1, 1, 1]) };
    const fixed = { shape: { channels: 1, height: 1, width: 1 }, tokens: 1, positions, captions: [caption] };
    for (let timestep = 0; timestep < steps; timestep += 1) {
      await place.predict({ fixed, latents: new Float32Array(1), timestep });
      onStep?.(timestep + 1, steps);
    }
    place.leave();
    return place.together;
  }

  return {
    bundle: device.bundle,
    device: 'cpu',
    children: 1,
    microBatch: device.microBatch,
    unusable: new AbortController().signal,
    close: async () => {},
    async render(request, _captions, { onBegin, onStep } = {}) {
      const asked = performance.now();
      const need = { bin: `${request.size} ${request.bin.width}`, places: placesOf(request, undefined, microBatch) };
      const { giveBack } = await line.take(need, undefined);
      const begun = performance.now();
      onBegin?.();
      const end = time.begin();
      const together = await denoise(request, onStep);
      const denoised = performance.now();
      await work(device.decodeMs);
      const timings = { denoiseMs: denoised - begun, decodeMs: performance.now() - denoised };
      const deviceShare = end();
      giveBack();
      const { width, height } = device.side === undefined ? request : { width: device.side, height: device.side };
      // Noise, which PNG takes longest for.
      const rgb = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 2_654_435_761) >>> 24);
      const shared = together > 1 && { microBatch: together };
      return { rgb, width, height, timings, ...shared, waitMs: begun - asked, deviceShare, processorMs: 0 };
    },
  };
}
