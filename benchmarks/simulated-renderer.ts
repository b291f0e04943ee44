import { setTimeout as sleep } from 'node:timers/promises';
import type { CaptionSource } from '../activities/index.ts';
import type { BundleRef, RenderRequest } from '../models/pixart/index.ts';
import type { Renderer } from '../models/renderer/index.ts';

export type Simulation = {
  bundle: BundleRef;
  /** The side of every image in pixels; default: the requested size. */
  side?: number;
  /** The time of a step, without its arithmetic. */
  stepMs?: (request: RenderRequest) => number;
  /** Called before the first step; if it throws, that is the renderer's failure. */
  before?: (request: RenderRequest) => void;
};

/** A renderer that takes a job's time and returns an image of one colour, for benchmarks of orchestration. */
export function simulatedRenderer({ bundle, side, stepMs = () => 0, before = () => {} }: Simulation): Renderer {
  return {
    bundle,
    device: 'cpu',
    children: 1,
    microBatch: 1,
    unusable: new AbortController().signal,
    close: () => Promise.resolve(),
    async render(request, _captions, { signal, onBegin, onStep } = {}) {
      onBegin?.();
      before(request);
      for (let step = 1; step <= request.steps; step += 1) {
        const ms = stepMs(request);
        if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => signal?.throwIfAborted());
        onStep?.(step, request.steps);
      }
      const { width, height } = side === undefined ? request : { width: side, height: side };
      return {
        rgb: new Uint8Array(width * height * 3).fill(request.seed % 256),
        width,
        height,
        timings: { denoiseMs: 0, decodeMs: 0 },
        waitMs: 0,
        deviceShare: 1,
        processorMs: 0,
      };
    },
  };
}

/** The caption that it gets for every text. */
export const simulatedCaptions: CaptionSource = async () => async () => {
  const caption = { states: new Float32Array(1), tokens: 1 };
  return { prompt: caption, negative: caption };
};
