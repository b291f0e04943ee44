import type { Bundle, BundleDescription } from './bundle.ts';
import { type Caption, captionSource } from './captions.ts';
import { decode } from './decode.ts';
import { type DenoiseInputs, denoise } from './denoise.ts';
import { normalStream } from './noise.ts';
import { Tensor } from './onnxruntime.ts';
import { positionEmbedding } from './position-embedding.ts';
import type { RenderedImage, RenderOptions, RenderRequest } from './render-request.ts';
import { checkRequest } from './request-check.ts';
import { resizeAndCrop, toBytes } from './resize-crop.ts';
import { createSampler } from './samplers/create-sampler.ts';
import type { Sampler } from './samplers/sampler.ts';
import { type Graph, openGraph, type SessionOptions } from './session.ts';
import { loadTokenizer } from './tokenizer.ts';

/** A bundle's networks, loaded on one device. Renders one image at a time. */
export type Pipeline = {
  readonly bundle: Bundle;
  /** @throws UserError for a request that this bundle can never serve; the signal's reason where it was aborted. */
  render(request: RenderRequest, options?: RenderOptions): Promise<RenderedImage>;
  /** Frees the sessions. Start a new process rather than load another bundle in this one: sessions leak. */
  dispose(): Promise<void>;
};

/**
 * Loads the networks of a bundle that `verifyBundle` has found whole.
 *
 * @throws UserError where the device cannot be used, or a graph or the tokenizer cannot be loaded.
 * @throws DeviceFull
 */
export async function loadPipeline(bundle: Bundle, options: SessionOptions): Promise<Pipeline> {
  const tokenize = await loadTokenizer(bundle);
  const textEncoder = await openGraph(bundle, 'text_encoder.onnx', options);
  const captionProjection = await openGraph(bundle, 'caption_projection.onnx', options);
  const transformer = await openGraph(bundle, 'transformer.onnx', options);
  const vaeDecoder = await openGraph(bundle, 'vae_decoder.onnx', options);
  const { tokenizer } = bundle.description;
  const captionOf = captionSource({ tokenize, textEncoder, captionProjection }, tokenizer.cleanCaption);

  return {
    bundle,

    async render(request, renderOptions = {}) {
      checkRequest(bundle.description, request);
      renderOptions.signal?.throwIfAborted();
      const started = performance.now();
      const prompt = await captionOf(request.prompt);
      const negative = request.guidance > 1 ? await captionOf(request.negativePrompt) : null;
      const encoded = performance.now();
      const { sampler, inputs } = sampling(bundle.description, request, { prompt, negative });
      const latents = await denoise(transformer, sampler, inputs, renderOptions);
      const denoised = performance.now();
      const rgb = await develop(vaeDecoder, bundle.description, request, latents, renderOptions.signal);
      return {
        rgb,
        width: request.width,
        height: request.height,
        timings: {
          textEncodeMs: encoded - started,
          denoiseMs: denoised - encoded,
          decodeMs: performance.now() - denoised,
        },
        promptTokens: prompt.tokensBeforeTruncation,
        promptTruncated: prompt.tokensBeforeTruncation > tokenizer.maxTokens,
      };
    },

    async dispose() {
      for (const graph of [textEncoder, captionProjection, transformer, vaeDecoder]) await graph.release();
    },
  };
}

/** What leads from the seed's noise to the latents of the bin. */
function sampling(
  description: BundleDescription,
  request: RenderRequest,
  captions: { prompt: Caption; negative: Caption | null },
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

/** From latents to the finished image's bytes. */
async function develop(
  vaeDecoder: Graph,
  description: BundleDescription,
  request: RenderRequest,
  latents: Float32Array,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const shape = latentShape(description, request);
  const isWhole = request.decode === 'whole';
  const image = await decode(vaeDecoder, description.vae, { ...shape, data: latents }, signal, isWhole);
  return toBytes(resizeAndCrop(image, request.width, request.height));
}

const latentShape = ({ transformer, vae }: BundleDescription, { bin }: RenderRequest) => ({
  channels: transformer.latentChannels,
  height: bin.height / vae.factor,
  width: bin.width / vae.factor,
});
