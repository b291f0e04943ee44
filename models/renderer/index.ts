export type { StartedChild } from './child-keeper.ts';
export { createEncoder, type Encoder, type EncoderOptions } from './encoder.ts';
export { type FreeMemory, freeMemory } from './free-memory.ts';
export { TooLittleMemory, withLessMemory } from './less-memory.ts';
export { candidateBatches, chosenBatch, type MeasuredBatch, measureBatches } from './measure-batches.ts';
export { measureShapes } from './measure-shapes.ts';
export { mostChildren, mostImages } from './most-children.ts';
export type { RendererRenderOptions } from './one-image.ts';
export { imagesAtOnce, pictureFacts, placesOf } from './picture-facts.ts';
export { candidateShapes, chosenShape, type MeasuredShape, type PoolShape, shapeText } from './pool-shape.ts';
export { onnxruntimeVersion, processorModel, usableCores } from './processor.ts';
export { type Renderer, type RendererOptions, startRenderer } from './renderer.ts';
export {
  RendererBug,
  RendererDied,
  RendererOutOfMemory,
  RendererUnusable,
  RenderFault,
  RenderTooLong,
} from './renderer-faults.ts';
export { SharedLock } from './shared-lock.ts';
export { pause, takeTurn, untilAborted } from './waiting.ts';
