import type { BundleDescription } from './bundle.ts';
import { CUDA_GRAPHS, type GraphFile } from './bundle-parts.ts';
import type { Device } from './render-request.ts';

/** A text encoder's graph, and the number that the tokens it is given are a multiple of, with padding. */
type TextEncoderGraph = { file: GraphFile; multiple: number };

const EVERYWHERE = { file: 'text_encoder.onnx', multiple: 1 } as const;
/** ONNX Runtime's fused attention takes a bias, as T5 has one, where its rows begin at multiples of 16 bytes. */
const ON_CUDA = { file: CUDA_GRAPHS.textEncoder, multiple: 8 } as const;

/** The text encoder's graph that a device runs: the one for CUDA where there is one. */
export const textEncoderGraph = ({ cuda }: Pick<BundleDescription, 'cuda'>, device: Device): TextEncoderGraph =>
  device !== 'cpu' && cuda?.textEncoder ? ON_CUDA : EVERYWHERE;
