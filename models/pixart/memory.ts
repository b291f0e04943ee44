import type { Bin } from '../../domain/size.ts';
import type { Thrift } from '../../domain/thrift.ts';
import { piecesOf } from './decode-pieces.ts';
import { sharesCall } from './guidance.ts';
import { imagesInCall } from './micro-batch.ts';
import type { Networks } from './networks.ts';

/**
 * Peak memory of one process on a processor, in bytes. All but `file` is its own; the sum is the peak of its PSS where
 * it is alone.
 */
export type ProcessMemory = {
  total: number;
  /** Mapped from files, which other processes share: programs and libraries. */
  file: number;
  /** Node and ONNX Runtime. */
  base: number;
  weights: number;
  /** What ONNX Runtime's arenas grow to; each network keeps its own. */
  activations: number;
  /** The picture and its positions, outside of the arenas. */
  pixels: number;
};

/** What of a picture decides its memory. */
type PictureShape = {
  bin: Bin;
  /** Two captions, or one. */
  isGuided?: boolean | undefined;
  /** Of the longer caption; default: as many as the bundle supports. */
  tokens?: number | undefined;
  isWhole?: boolean | undefined;
  thrift?: Thrift | undefined;
  /** Images that the process paints at once, as far as those of this shape share calls; 1 unless given. */
  microBatch?: number | undefined;
};

const MiB = 2 ** 20;
const FLOAT = 4;
const COLOURS = 3;

// Measured with ONNX Runtime 1.30 on x64 (docs/measurements/memory.md).
const FILE = 67 * MiB;
const BASE = 53 * MiB;
/** What the transformer's arena grows to, in maps of its width: the feed-forward's are four times as wide. */
const TRANSFORMER_MAPS = 19;
/** Beside its maps cross-attention needs its scores, heads × image tokens × caption tokens; then it has fewer maps. */
const ATTENTION_MAPS = 10;
const SCORES = 2;
/** What the decoder's arena grows to, in maps of the picture's size and the widest channels there. */
const DECODER_MAPS = 3.95;
/** Whole pictures of floats: the decoder's output, and the cropped one. */
const PICTURES = 2;
/** Tiles are blended into one more. */
const TILED_PICTURES = 3;
/** A text is a few hundred tokens at most. */
const TEXT_ACTIVATIONS = 4 * MiB;

/** Of a process that encodes texts. */
export const encoderMemory = ({ encoderWeights }: Pick<Networks, 'encoderWeights'>): ProcessMemory =>
  summed({ weights: encoderWeights, activations: TEXT_ACTIVATIONS, pixels: 0 });

/** Of a process that paints pictures of a shape; `null` if the decoder's channels are unknown. */
export const painterMemory = (networks: Networks, shape: PictureShape): ProcessMemory | null =>
  painterMemoryOfAll(networks, [shape]);

/**
 * Of one that paints one shape after the other: every arena keeps what its largest picture took. `null` as above, and
 * of no shape.
 */
export const painterMemoryOfAll = (networks: Networks, shapes: readonly PictureShape[]): ProcessMemory | null =>
  networks.decoderChannels === null || shapes.length === 0 ? null : knownPainterMemory(networks, shapes);

/** The same, without the decoder's activations if they are unknown: a lower bound. */
export function knownPainterMemory(networks: Networks, shapes: readonly PictureShape[]): ProcessMemory {
  const channels = networks.decoderChannels ?? 0;
  const largest = (of: (shape: PictureShape) => number): number => Math.max(0, ...shapes.map(of));
  return summed({
    weights: networks.painterWeights,
    activations: largest((shape) => denoising(networks, shape) + decoding(networks, channels, shape)),
    pixels: largest((shape) => pixels(networks, shape)),
  });
}

/** Of several processes at once, which share pages mapped from files. */
export const memoryTogether = (processes: readonly ProcessMemory[]): number =>
  processes.reduce((sum, { total, file }) => sum + total - file, processes.length === 0 ? 0 : FILE);

const summed = (parts: Pick<ProcessMemory, 'weights' | 'activations' | 'pixels'>): ProcessMemory => ({
  ...parts,
  file: FILE,
  base: BASE,
  total: Math.round(FILE + BASE + parts.weights + parts.activations + parts.pixels),
});

const latentsOf = ({ factor }: Networks, { bin }: PictureShape) => ({
  height: bin.height / factor,
  width: bin.width / factor,
});

const limits = ({ onePiece }: Networks, { thrift }: PictureShape) => ({ ...thrift, onePiece });

const imageTokens = (networks: Networks, shape: PictureShape): number => {
  const { height, width } = latentsOf(networks, shape);
  return (height * width) / networks.patch ** 2;
};

/** How many of a shape are painted at once. */
const imagesAtOnce = (networks: Networks, shape: PictureShape): number =>
  imagesInCall(guidedPicture(networks, shape), shape.microBatch ?? 1);

const guidedPicture = (networks: Networks, shape: PictureShape) => ({
  tokens: imageTokens(networks, shape),
  isGuided: shape.isGuided ?? true,
  halves: shape.thrift?.halves,
  weights: networks.weights,
});

function denoising(networks: Networks, shape: PictureShape): number {
  const { tokens = networks.maxTokens } = shape;
  const picture = guidedPicture(networks, shape);
  const count = picture.tokens;
  const rows = picture.isGuided && sharesCall(picture) ? 2 : 1;
  const batch = rows * imagesAtOnce(networks, shape);
  const map = batch * count * networks.transformerWidth * FLOAT;
  const scores = batch * count * networks.heads * tokens * FLOAT;
  return Math.max(TRANSFORMER_MAPS * map, ATTENTION_MAPS * map + SCORES * scores);
}

function decoding(networks: Networks, channels: number, shape: PictureShape): number {
  const latents = latentsOf(networks, shape);
  const count = shape.isWhole ? latents.height * latents.width : piecesOf(latents, limits(networks, shape)).latents;
  return DECODER_MAPS * count * networks.factor ** 2 * channels * FLOAT;
}

function pixels(networks: Networks, shape: PictureShape): number {
  const { height, width } = shape.bin;
  const isTiled = !shape.isWhole && piecesOf(latentsOf(networks, shape), limits(networks, shape)).tile !== null;
  const picture = COLOURS * height * width;
  const positions = imageTokens(networks, shape) * networks.transformerWidth * FLOAT;
  const one = (isTiled ? TILED_PICTURES : PICTURES) * picture * FLOAT + picture + positions;
  // They are decoded one after the other, and what one leaves behind is collected later.
  return imagesAtOnce(networks, shape) * one;
}
