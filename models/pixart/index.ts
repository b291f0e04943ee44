export type { BundleRef } from '../../domain/bundle-ref.ts';
export { type Bundle, type BundleDescription, bundleRef, openBundle } from './bundle.ts';
export {
  type CheckpointOwner,
  decodeCheckpoint,
  encodeCheckpoint,
  LARGEST_CHECKPOINT_BYTES,
} from './checkpoint-format.ts';
export { chosenBundle } from './chosen-bundle.ts';
export { bundleFolder, openBundles } from './installed-bundles.ts';
export { loadPipeline, type Pipeline } from './pipeline.ts';
export { PIPELINE_VERSION } from './pipeline-version.ts';
export { promptReader } from './prompt-reader.ts';
export type { Device, RenderedImage, RenderOptions, RenderRequest } from './render-request.ts';
export type { SamplerState } from './samplers/sampler.ts';
export type { StateKeeping } from './state-keeping.ts';
export { verifyBundle } from './verify-bundle.ts';
