import type { BundleDescription, GraphFile } from './bundle.ts';

/** What of a bundle is loaded apart: by who reads prompts, by who encodes them, and by who paints. */
export type BundlePart = 'reader' | 'encoder' | 'painter';

export const PART_GRAPHS: Record<BundlePart, readonly GraphFile[]> = {
  reader: [],
  encoder: ['text_encoder.onnx', 'caption_projection.onnx'],
  painter: ['transformer.onnx', 'vae_decoder.onnx'],
};

/**
 * Which part a listed file belongs to, by its name alone: whoever lacks the files of a part has to know too. A graph's weights lie in
 * `<graph>.data`; what is named after nothing counts as the encoder's.
 */
function partOf(file: string): BundlePart {
  if (file === 'tokenizer.json') return 'reader';
  return /^(transformer|vae_decoder)[._]/.test(file) ? 'painter' : 'encoder';
}

export const partFiles = ({ files }: Pick<BundleDescription, 'files'>, part: BundlePart): string[] =>
  Object.keys(files).filter((file) => partOf(file) === part);
