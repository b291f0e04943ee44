import { setTimeout as sleep } from 'node:timers/promises';
import { Mutex } from 'async-mutex';
import { type BundleDescription, imagesInCall, type RenderRequest } from '../../models/pixart/index.ts';
import { Tensor } from '../../models/pixart/onnxruntime.ts';
import { StepBatcher } from '../../models/pixart/step-batcher.ts';
import { ChildLine } from '../../models/renderer/child-line.ts';
import { pictureFacts, placesOf, type Renderer } from '../../models/renderer/index.ts';
import { SharedTime } from '../../models/renderer/shared-time.ts';
import type { Interval } from './intervals.ts';

export type SimulatedDevice = {
  bundle: Renderer['bundle'];
  description: BundleDescription;
  microBatch: number;
  /** Of a call with one image, and of each further one in it. */
  stepMs: number;
  furtherMs: number;
  decodeMs: number;
};

/**
 * A device that takes time instead of computing, of which it is known exactly when it is busy. What waits for it and what shares its calls
 * is the renderer's own: line of places and step batcher.
 */
export function simulatedDevice(device: SimulatedDevice, busy: Interval[]): Renderer {
  const { description } = device;
  const microBatch = { images: device.microBatch, description };
  const line = new ChildLine(['device'], { places: device.microBatch, isPreferred: () => true });
  const time = new SharedTime();
  // A call and a decode block the child's one thread.
  const thread = new Mutex();
  const work = (ms: number): Promise<void> =>
    thread.runExclusive(async () => {
      const start = performance.now();
      await sleep(ms);
      busy.push({ start, end: performance.now() });
    });
  const batcher = new StepBatcher({
    async run({ latents }) {
      await work(device.stepMs + device.furtherMs * (latents!.dims[0]! - 1));
      return latents!.data as Float32Array;
    },
  });

  async function denoise(request: RenderRequest): Promise<number> {
    const facts = pictureFacts(request, description);
    const { size, bin, steps } = request;
    const most = imagesInCall(facts, device.microBatch);
    const place = batcher.enter({ name: most === 1 ? Symbol('alone') : `${size} ${bin.width}`, most });
    // One row and one token: the time is that of an image.
    const caption = { states: new Float32Array(1), tokens: 1 };
    const positions = { position_embedding: new Tensor('float32', new Float32Array(1), [1, 1, 1]) };
    const fixed = { shape: { channels: 1, height: 1, width: 1 }, tokens: 1, positions, captions: [caption] };
    for (let timestep = 0; timestep < steps; timestep += 1)
      await place.predict({ fixed, latents: new Float32Array(1), timestep });
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
    async render(request, _captions, { onBegin } = {}) {
      const asked = performance.now();
      const need = { bin: `${request.size} ${request.bin.width}`, places: placesOf(request, undefined, microBatch) };
      const { giveBack } = await line.take(need, undefined);
      const begun = performance.now();
      onBegin?.();
      const end = time.begin();
      const together = await denoise(request);
      const denoised = performance.now();
      await work(device.decodeMs);
      const timings = { denoiseMs: denoised - begun, decodeMs: performance.now() - denoised };
      const deviceShare = end();
      giveBack();
      const { width, height } = request;
      // Noise, which PNG takes longest for.
      const rgb = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 2_654_435_761) >>> 24);
      const shared = together > 1 && { microBatch: together };
      return { rgb, width, height, timings, ...shared, waitMs: begun - asked, deviceShare, processorMs: 0 };
    },
  };
}
