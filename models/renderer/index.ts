export { createEncoder, type Encoder, type EncoderOptions } from './encoder.ts';
export { type Renderer, type RendererOptions, type RendererRenderOptions, startRenderer } from './renderer.ts';
export { RendererBug, RendererDied, RendererStarved, RenderFault } from './renderer-child.ts';
export { TooLittleMemory, thrifty } from './thrifty.ts';
export { takeTurn } from './waiting.ts';
