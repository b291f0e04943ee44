export type { BundleRef } from '../../domain/bundle-ref.ts';
export { type Bundle, type BundleDescription, bundleRef, openBundle } from './bundle.ts';
export { encoderDigest } from './bundle-parts.ts';
export { type CaptionEncoder, loadCaptionEncoder } from './caption-encoder.ts';
export { type CaptionOwner, captionKey, decodeCaption, encodeCaption, largestCaption } from './caption-format.ts';
export { type Caption, type RequestCaptions, requestCaptions, textsOf } from './captions.ts';
export {
  type CheckpointOwner,
  decodeCheckpoint,
  encodeCheckpoint,
  LARGEST_CHECKPOINT_BYTES,
} from './checkpoint-format.ts';
export { chosenBundle } from './chosen-bundle.ts';
export { bundleFolder, openBundles } from './installed-bundles.ts';
export { nextRung, type RenderStage } from './ladder.ts';
export {
  encoderMemory,
  knownPainterMemory,
  memoryTogether,
  type ProcessMemory,
  painterMemory,
  painterMemoryOfAll,
} from './memory.ts';
export { imagesInCall } from './micro-batch.ts';
export { encoderWeightsOrNull, type Networks, networksOf, networksOrNull } from './networks.ts';
export { OutOfMemory } from './out-of-memory.ts';
export { loadPainter, type Painter } from './painter.ts';
export { loadPipeline, type Pipeline } from './pipeline.ts';
export { PIPELINE_VERSION } from './pipeline-version.ts';
export { type PromptReader, promptReader } from './prompt-reader.ts';
export type { Device, PaintedImage, RenderOptions, RenderRequest } from './render-request.ts';
export type { SamplerState } from './samplers/sampler.ts';
export type { StateKeeping } from './state-keeping.ts';
export { verifyBundle, verifyPart } from './verify-bundle.ts';
export { readVocabulary } from './vocabulary.ts';
