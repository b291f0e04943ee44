export type { StartedChild } from './child-keeper.ts';
export { createEncoder, type Encoder, type EncoderOptions } from './encoder.ts';
export { type Measured, measureShapes } from './measure-shapes.ts';
export { mostChildren } from './most-children.ts';
export { candidateShapes, chosenShape, type MeasuredShape, type PoolShape, shapeText } from './pool-shape.ts';
export { onnxruntimeVersion, processorModel, usableCores } from './processor.ts';
export { type Renderer, type RendererOptions, type RendererRenderOptions, startRenderer } from './renderer.ts';
export { RendererBug, RendererDied, RenderFault } from './renderer-child.ts';
export { takeTurn } from './waiting.ts';
