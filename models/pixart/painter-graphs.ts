import type { BundleDescription } from './bundle.ts';
import { CUDA_GRAPHS, type GraphFile } from './bundle-parts.ts';
import { embeddedPositions, type PositionInputs, tabledPositions } from './position-inputs.ts';
import type { Device } from './render-request.ts';
import { type JoinFixed, joinCaptions, joinSpans } from './step-inputs.ts';

/** A transformer's graph, and what it takes besides latents and timesteps. */
type TransformerGraph = { file: GraphFile; positions: PositionInputs; join: JoinFixed };

const EVERYWHERE = { file: 'transformer.onnx', positions: embeddedPositions, join: joinCaptions } as const;
const ON_CUDA = { file: CUDA_GRAPHS.transformer, positions: tabledPositions, join: joinSpans } as const;

/** The transformer's graph that a device runs: the one for CUDA where there is one. */
export const transformerGraph = ({ cuda }: Pick<BundleDescription, 'cuda'>, device: Device): TransformerGraph =>
  device !== 'cpu' && cuda?.transformer ? ON_CUDA : EVERYWHERE;

/** The decoder's graph that turns whole pictures into bytes on a device; `null` where there is none. */
export const bytesGraph = ({ cuda }: Pick<BundleDescription, 'cuda'>, device: Device): GraphFile | null =>
  device !== 'cpu' && cuda?.vae ? CUDA_GRAPHS.vae : null;
