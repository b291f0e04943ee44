export { createEncoder, type Encoder, type EncoderOptions } from './encoder.ts';
export { type Renderer, type RendererOptions, type RendererRenderOptions, startRenderer } from './renderer.ts';
export { RendererBug, RendererDied, RenderFault } from './renderer-child.ts';
export { takeTurn, untilAborted } from './waiting.ts';
