import path from 'node:path';
import { type Bundle, openBundle } from '../../../models/pixart/bundle.ts';
import { type Caption, type RequestCaptions, requestCaptions } from '../../../models/pixart/captions.ts';
import { captionText } from '../../../models/pixart/clean-caption.ts';
import { decode } from '../../../models/pixart/decode.ts';
import { denoise } from '../../../models/pixart/denoise.ts';
import { normalStream } from '../../../models/pixart/noise.ts';
import { Tensor } from '../../../models/pixart/onnxruntime.ts';
import { positionEmbedding } from '../../../models/pixart/position-embedding.ts';
import type { Planes } from '../../../models/pixart/resize-crop.ts';
import { createSampler } from '../../../models/pixart/samplers/create-sampler.ts';
import { type Graph, openGraph } from '../../../models/pixart/session.ts';
import { StepBatcher, type StepPlace } from '../../../models/pixart/step-batcher.ts';
import { encodeText, projectCaption } from '../../../models/pixart/text-encoder.ts';
import { loadTokenizer, type Tokenize } from '../../../models/pixart/tokenizer.ts';
import { GOLDEN, type GoldenCase } from './golden-case.ts';

export type Networks = {
  bundle: Bundle;
  tokenize: Tokenize;
  textEncoder: Graph;
  captionProjection: Graph;
  transformer: Graph;
  vaeDecoder: Graph;
};

const opened = new Map<string, Promise<Networks>>();

/** The networks of a golden bundle, opened once for all tests of a file. */
export function goldenNetworks(name: string): Promise<Networks> {
  const networks = opened.get(name) ?? openNetworks(name);
  opened.set(name, networks);
  return networks;
}

async function openNetworks(name: string): Promise<Networks> {
  const bundle = await openBundle(path.join(GOLDEN, 'bundles', name));
  const options = { device: 'cpu', threads: 1 } as const;
  return {
    bundle,
    tokenize: await loadTokenizer(bundle),
    textEncoder: await openGraph(bundle, 'text_encoder.onnx', options),
    captionProjection: await openGraph(bundle, 'caption_projection.onnx', options),
    transformer: await openGraph(bundle, 'transformer.onnx', options),
    vaeDecoder: await openGraph(bundle, 'vae_decoder.onnx', options),
  };
}

/** The captions of a case: null for the negative one where guidance is off. */
export const captionsOf = (networks: Networks, golden: GoldenCase): Promise<RequestCaptions> =>
  requestCaptions(golden, async (text) => {
    const { ids } = networks.tokenize(captionText(text, networks.bundle.description.tokenizer.cleanCaption));
    const textStates = await encodeText(networks.textEncoder, ids);
    return { states: await projectCaption(networks.captionProjection, textStates, ids.length), tokens: ids.length };
  });

/** The position embedding of a case's grid. */
export function positionsOf({ bundle }: Networks, golden: GoldenCase): Tensor {
  const { transformer, vae, sizes } = bundle.description;
  const { sampleSize, interpolationScale } = sizes[golden.size]!;
  const width = transformer.heads * transformer.headWidth;
  const rows = golden.sampledHeight / vae.factor / transformer.patch;
  const columns = golden.sampledWidth / vae.factor / transformer.patch;
  const scale = { baseSize: sampleSize / transformer.patch, interpolationScale };
  return new Tensor('float32', positionEmbedding(rows, columns, width, scale), [1, rows * columns, width]);
}

/** A place at a transformer that is nobody else's. */
export const aloneAt = (transformer: Pick<Graph, 'run'>): StepPlace =>
  new StepBatcher(transformer).enter({ name: 'alone', most: 1 });

/** Denoises a case and keeps the latents after every step. */
export async function denoiseCase(
  networks: Networks,
  golden: GoldenCase,
  { prompt, negative, positions }: { prompt: Caption; negative: Caption | null; positions: Tensor },
): Promise<Float32Array[]> {
  const [, channels, height, width] = golden.tensor('noise').shape as [number, number, number, number];
  const draw = normalStream(golden.seed);
  const drawNoise = () => draw(channels * height * width);
  const sampler = createSampler(networks.bundle.description.scheduler, golden.steps, drawNoise);
  const kept: Float32Array[] = [];
  const inputs = {
    ...{ channels, height, width, prompt, negative, guidance: golden.guidance },
    ...{ tokens: positions.dims[1]!, positions: { position_embedding: positions } },
  };
  const onStep = () => kept.push(sampler.latents);
  await denoise(aloneAt(networks.transformer), sampler, inputs, { onStep });
  return kept;
}

/** Decodes latents of a case's shape. */
export function decodeCase(networks: Networks, golden: GoldenCase, data: Float32Array): Promise<Planes> {
  const [, channels, height, width] = golden.tensor('noise').shape as [number, number, number, number];
  return decode(networks.vaeDecoder, networks.bundle.description.vae, { data, channels, height, width }, undefined);
}
