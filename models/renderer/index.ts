export { type Renderer, type RendererOptions, type RendererRenderOptions, startRenderer } from './renderer.ts';
export { RendererDied, RenderFault } from './renderer-child.ts';
export { takeTurn } from './waiting.ts';
