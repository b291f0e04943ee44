import { UserError } from '../../domain/user-error.ts';
import type { Bundle, BundleDescription } from './bundle.ts';
import type { RequestCaptions } from './captions.ts';
import { type DenoiseInputs, denoise } from './denoise.ts';
import { imagesInCall } from './micro-batch.ts';
import { normalStream } from './noise.ts';
import { sayingOutOfMemory } from './out-of-memory.ts';
import { transformerGraph } from './painter-graphs.ts';
import { loadPictureDecoder } from './picture-decoder.ts';
import type { PositionInputs } from './position-inputs.ts';
import type { PaintedImage, RenderOptions, RenderRequest } from './render-request.ts';
import { checkRequest } from './request-check.ts';
import { createSampler } from './samplers/create-sampler.ts';
import type { Sampler } from './samplers/sampler.ts';
import { openGraph, type SessionOptions } from './session.ts';
import { StepBatcher, type StepBin } from './step-batcher.ts';

type PainterOptions = SessionOptions & {
  /** How many images that are painted at once may share a call of the transformer; 1 unless given. */
  microBatch?: number | undefined;
};

/** A bundle's transformer and decoder, loaded on one device: from captions to pictures, of which it may paint several at once. */
export type Painter = {
  /** @throws UserError for a request that this bundle can never serve; OutOfMemory; the signal's reason where it was aborted. */
  paint(request: RenderRequest, captions: RequestCaptions, options?: RenderOptions): Promise<PaintedImage>;
  dispose(): Promise<void>;
};

/**
 * Loads transformer and decoder of a bundle; it needs none of the text encoder's files.
 *
 * @throws UserError where the device cannot be used for this bundle or a graph cannot be loaded.
 * @throws DeviceFull
 */
export async function loadPainter(bundle: Bundle, options: PainterOptions): Promise<Painter> {
  refuseInt8OnCuda(bundle, options);
  const { microBatch = 1 } = options;
  const { description } = bundle;
  const { file, positions, join } = transformerGraph(description, options.device);
  const transformer = await openGraph(bundle, file, options);
  const batcher = new StepBatcher(transformer, join);
  const decoder = await loadPictureDecoder(bundle, options);
  return {
    async paint(request, captions, renderOptions = {}) {
      checkRequest(description, request);
      renderOptions.signal?.throwIfAborted();
      const started = performance.now();
      const { thrift = {} } = renderOptions;
      const { sampler, inputs } = sampling(description, request, captions, positions);
      const halved = { ...inputs, halves: thrift.halves, weights: description.precision?.transformer.weights };
      const place = batcher.enter(stepBin(request, halved, microBatch));
      const latents = await denoise(place, sampler, halved, renderOptions)
        .catch(sayingOutOfMemory('denoise'))
        .finally(() => place.leave());
      const denoised = performance.now();
      const shape = latentShape(description, request);
      const decoding = decoder.decode(request, { ...shape, data: latents }, renderOptions);
      const rgb = await decoding.catch(sayingOutOfMemory('decode'));
      const timings = { denoiseMs: denoised - started, decodeMs: performance.now() - denoised };
      const shared = place.together > 1 && { microBatch: place.together };
      return { rgb, width: request.width, height: request.height, timings, ...shared };
    },

    async dispose() {
      for (const network of [transformer, decoder]) await network.release();
    },
  };
}

/** ONNX Runtime 1.30 has no CUDA kernels for these products: each would run on the processor, between two copies. */
function refuseInt8OnCuda({ description, folder }: Bundle, { device }: SessionOptions): void {
  if (device === 'cpu' || description.precision?.transformer.weights !== 'int8') return;
  throw new UserError(
    `bundle ${description.name} in ${folder}: its transformer is stored in int8, which runs on CPUs only, not on ${device}. ` +
      'Use "--device cpu", or export the checkpoint again with "--for gpu" (docs/exporting.md).',
  );
}

/** What leads from the seed's noise to the latents of the bin. */
function sampling(
  description: BundleDescription,
  request: RenderRequest,
  captions: RequestCaptions,
  positionsOf: PositionInputs,
): { sampler: Sampler; inputs: DenoiseInputs } {
  const { heads, headWidth, patch } = description.transformer;
  const shape = latentShape(description, request);
  const { sampleSize, interpolationScale } = description.sizes[request.size]!;
  const grid = { rows: shape.height / patch, columns: shape.width / patch };
  const positions = positionsOf(grid, heads * headWidth, { baseSize: sampleSize / patch, interpolationScale });
  const draw = normalStream(request.seed);
  const drawNoise = () => draw(shape.channels * shape.height * shape.width);
  const sampler = createSampler(description.scheduler, request.steps, drawNoise);
  const tokens = grid.rows * grid.columns;
  return { sampler, inputs: { ...shape, ...captions, tokens, positions, guidance: request.guidance } };
}

/** Images share calls with those of the same size, whose positions are the same, the same latents and as many captions. */
function stepBin({ size }: RenderRequest, inputs: DenoiseInputs, microBatch: number): StepBin {
  const { channels, height, width, tokens, negative, halves, weights } = inputs;
  const isGuided = negative !== null;
  const most = imagesInCall({ tokens, halves, weights, isGuided }, microBatch);
  return { name: most === 1 ? Symbol('alone') : `${size} ${channels}×${height}×${width} ${isGuided}`, most };
}

const latentShape = ({ transformer, vae }: BundleDescription, { bin }: RenderRequest) => ({
  channels: transformer.latentChannels,
  height: bin.height / vae.factor,
  width: bin.width / vae.factor,
});
