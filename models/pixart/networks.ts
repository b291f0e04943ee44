import { type Bundle, bundleFile, type WeightKind } from './bundle.ts';
import { type GraphFile, PART_GRAPHS, partFiles } from './bundle-parts.ts';
import { bytesOnDisk, elementsOf, graphWeights, isHalf, type Weight } from './graph-weights.ts';

/** What of a bundle's networks decides how much memory they take: see memory.ts. Bytes, and channels. */
export type Networks = {
  /** Text encoder and caption projection, as ONNX Runtime holds them on a processor. */
  encoderWeights: number;
  /** Transformer and decoder. */
  painterWeights: number;
  /** How the transformer's are stored, where the bundle says it. */
  weights?: WeightKind | undefined;
  transformerWidth: number;
  heads: number;
  patch: number;
  factor: number;
  /** Latents that the decoder takes in one piece, where the bundle says it. */
  onePiece?: number | undefined;
  maxTokens: number;
  /** Of the widest map that the decoder has at the size of the picture; `null` if its weights do not show it. */
  decoderChannels: number | null;
};

/**
 * Reads them off the bundle's graphs; the weights' own bytes are skipped. The painter's files must exist.
 *
 * @throws WireError where a file is no ONNX graph, and as the file system does
 */
export function networksOf(bundle: Bundle): Networks {
  const { transformer, vae, tokenizer } = bundle.description;
  const decoder = weightsOf(bundle, 'vae_decoder.onnx');
  return {
    encoderWeights: encoderWeights(bundle),
    painterWeights: held(weightsOf(bundle, 'transformer.onnx')) + held(decoder),
    weights: bundle.description.precision?.transformer.weights,
    transformerWidth: transformer.heads * transformer.headWidth,
    heads: transformer.heads,
    patch: transformer.patch,
    factor: vae.factor,
    onePiece: vae.onePiece,
    maxTokens: tokenizer.maxTokens,
    decoderChannels: widestAtFullSize(decoder),
  };
}

/** `null` for a damaged or incomplete bundle: verifying it reports what is wrong. */
export const networksOrNull = (bundle: Bundle): Networks | null => orNull(() => networksOf(bundle));

/** The same for a machine that only encodes, and may lack the painter's files; `null` as above. */
export const encoderWeightsOrNull = (bundle: Bundle): number | null => orNull(() => encoderWeights(bundle));

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

const weightsOf = (bundle: Bundle, file: GraphFile): Weight[] => graphWeights(bundleFile(bundle, file));

/** A machine that only paints may lack the encoder's files: what bundle.json says of them is then the best guess. */
function encoderWeights(bundle: Bundle): number {
  const { description } = bundle;
  try {
    return PART_GRAPHS.encoder.reduce((sum, file) => sum + held(weightsOf(bundle, file)), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return partFiles(description, 'encoder').reduce((sum, file) => sum + description.files[file]!.bytes, 0);
  }
}

/**
 * float16 and bfloat16 are folded into float32 when a graph is loaded; what lay inside the file is then read as well as folded,
 * and that memory stays with the process. All else is held as it is (docs/decisions/102).
 */
const held = (weights: readonly Weight[]): number =>
  weights.reduce((sum, weight) => {
    const stored = bytesOnDisk(weight);
    return sum + (isHalf(weight) ? 4 * elementsOf(weight) + (weight.isExternal ? 0 : stored) : stored);
  }, 0);

const COLOURS = 3;

/** The last convolution makes colours of a map of some channels; the widest map of that size is what a convolution made it of. */
function widestAtFullSize(weights: readonly Weight[]): number | null {
  const convolutions = weights.filter(({ shape }) => shape.length === 4).map(({ shape }) => shape);
  const last = convolutions.filter(([to]) => to === COLOURS).map(([, from]) => from!);
  if (last.length !== 1) return null;
  return Math.max(last[0]!, ...convolutions.filter(([to]) => to === last[0]).map(([, from]) => from!));
}
