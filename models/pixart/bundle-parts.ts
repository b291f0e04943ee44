import { createHash } from 'node:crypto';

export const GRAPHS = ['text_encoder.onnx', 'caption_projection.onnx', 'transformer.onnx', 'vae_decoder.onnx'] as const;

/** Made for graphics cards, beside those that every bundle has; a bundle may have none of them, or some. */
export const CUDA_GRAPHS = {
  textEncoder: 'text_encoder.cuda.onnx',
  transformer: 'transformer.cuda.onnx',
  vae: 'vae_decoder.cuda.onnx',
} as const;

export type GraphFile = (typeof GRAPHS)[number] | (typeof CUDA_GRAPHS)[keyof typeof CUDA_GRAPHS];

/** The files that a bundle lists, by name. */
type Listed = { files: Record<string, { sha256: string }> };

/** What of a bundle is loaded apart: by who reads prompts, by who encodes them, and by who paints. */
export type BundlePart = 'reader' | 'encoder' | 'painter';

export const PART_GRAPHS: Record<BundlePart, readonly GraphFile[]> = {
  reader: [],
  encoder: ['text_encoder.onnx', 'caption_projection.onnx'],
  painter: ['transformer.onnx', 'vae_decoder.onnx'],
};

/** The graphs that a bundle has for a part of the pipeline, or for all of it. */
export function graphsOf({ files }: Listed, part?: BundlePart): GraphFile[] {
  const cuda = Object.values(CUDA_GRAPHS).filter((graph) => Object.hasOwn(files, graph));
  const all: GraphFile[] = [...GRAPHS, ...cuda];
  return part === undefined ? all : all.filter((graph) => partOf(graph) === part);
}

/**
 * Which part a listed file belongs to, by its name alone: machines without the files of a part have to know too. A
 * graph's weights are in `<graph>.data`; files named after no graph count as the encoder's.
 */
function partOf(file: string): BundlePart {
  if (file === 'tokenizer.json') return 'reader';
  return /^(transformer|vae_decoder)[._]/.test(file) ? 'painter' : 'encoder';
}

export const partFiles = ({ files }: Listed, part: BundlePart): string[] =>
  Object.keys(files).filter((file) => partOf(file) === part);

/**
 * What text encoder and caption projection are: SHA-256 over the names and digests of all their files. Bundles that agree in it
 * share their captions.
 */
export function encoderDigest(description: Listed): string {
  const files = partFiles(description, 'encoder').sort();
  const content = files.map((name) => [name, description.files[name]!.sha256]);
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
