import { UserError } from '../../domain/user-error.ts';
import type { Bundle, BundleDescription } from './bundle.ts';
import type { RequestCaptions } from './captions.ts';
import { decode } from './decode.ts';
import { type DenoiseInputs, denoise } from './denoise.ts';
import { imagesInCall } from './micro-batch.ts';
import { normalStream } from './noise.ts';
import { Tensor } from './onnxruntime.ts';
import { sayingOutOfMemory } from './out-of-memory.ts';
import { positionEmbedding } from './position-embedding.ts';
import type { PaintedImage, RenderOptions, RenderRequest } from './render-request.ts';
import { checkRequest } from './request-check.ts';
import { resizeAndCrop, toBytes } from './resize-crop.ts';
import { createSampler } from './samplers/create-sampler.ts';
import type { Sampler } from './samplers/sampler.ts';
import { type Graph, openGraph, type SessionOptions } from './session.ts';
import { StepBatcher, type StepBin } from './step-batcher.ts';

export type PainterOptions = SessionOptions & {
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
  const transformer = await openGraph(bundle, 'transformer.onnx', options);
  const batcher = new StepBatcher(transformer);
  const vaeDecoder = await openGraph(bundle, 'vae_decoder.onnx', options);
  return {
    async paint(request, captions, renderOptions = {}) {
      checkRequest(bundle.description, request);
      renderOptions.signal?.throwIfAborted();
      const started = performance.now();
      const { thrift = {} } = renderOptions;
      const { sampler, inputs } = sampling(bundle.description, request, captions);
      const halved = { ...inputs, halves: thrift.halves, weights: bundle.description.precision?.transformer.weights };
      const place = batcher.enter(stepBin(halved, microBatch));
      const latents = await denoise(place, sampler, halved, renderOptions)
        .catch(sayingOutOfMemory('denoise'))
        .finally(() => place.leave());
      const denoised = performance.now();
      const developing = develop(vaeDecoder, bundle.description, request, latents, renderOptions);
      const rgb = await developing.catch(sayingOutOfMemory('decode'));
      const timings = { denoiseMs: denoised - started, decodeMs: performance.now() - denoised };
      const shared = place.together > 1 && { microBatch: place.together };
      return { rgb, width: request.width, height: request.height, timings, ...shared };
    },

    async dispose() {
      for (const graph of [transformer, vaeDecoder]) await graph.release();
    },
  };
}

/** ONNX Runtime 1.30 has no CUDA kernels for these products: each would run on the processor, between two copies. */
function refuseInt8OnCuda({ description, folder }: Bundle, { device }: SessionOptions): void {
  if (device === 'cpu' || description.precision?.transformer.weights !== 'int8') return;
  throw new UserError(
    `bundle ${description.name} in ${folder}: its transformer is stored in int8, which runs on processors only, and ${device} was asked for. ` +
      'Use "--device cpu", or export the checkpoint again with "--for gpu" (docs/exporting.md).',
  );
}

/** What leads from the seed's noise to the latents of the bin. */
function sampling(
  description: BundleDescription,
  request: RenderRequest,
  captions: RequestCaptions,
): { sampler: Sampler; inputs: DenoiseInputs } {
  const { heads, headWidth, patch } = description.transformer;
  const shape = latentShape(description, request);
  const { sampleSize, interpolationScale } = description.sizes[request.size]!;
  const [rows, columns, width] = [shape.height / patch, shape.width / patch, heads * headWidth];
  const scale = { baseSize: sampleSize / patch, interpolationScale };
  const positions = new Tensor('float32', positionEmbedding(rows, columns, width, scale), [1, rows * columns, width]);
  const draw = normalStream(request.seed);
  const drawNoise = () => draw(shape.channels * shape.height * shape.width);
  const sampler = createSampler(description.scheduler, request.steps, drawNoise);
  return { sampler, inputs: { ...shape, ...captions, positions, guidance: request.guidance } };
}

/** Images share calls with those of the same latents and as many captions. */
function stepBin(inputs: DenoiseInputs, microBatch: number): StepBin {
  const { channels, height, width, positions, negative, halves, weights } = inputs;
  const isGuided = negative !== null;
  const most = imagesInCall({ tokens: positions.dims[1]!, halves, weights, isGuided }, microBatch);
  return { name: most === 1 ? Symbol('alone') : `${channels}×${height}×${width} ${isGuided}`, most };
}

/** From latents to the finished image's bytes. */
async function develop(
  vaeDecoder: Graph,
  description: BundleDescription,
  request: RenderRequest,
  latents: Float32Array,
  { signal, thrift = {} }: RenderOptions,
): Promise<Uint8Array> {
  const shape = latentShape(description, request);
  const options = { isWhole: request.decode === 'whole', tileLatents: thrift.tileLatents };
  const image = await decode(vaeDecoder, description.vae, { ...shape, data: latents }, signal, options);
  return toBytes(resizeAndCrop(image, request.width, request.height));
}

const latentShape = ({ transformer, vae }: BundleDescription, { bin }: RenderRequest) => ({
  channels: transformer.latentChannels,
  height: bin.height / vae.factor,
  width: bin.width / vae.factor,
});
