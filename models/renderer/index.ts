export type { StartedChild } from './child-keeper.ts';
export { type Renderer, type RendererOptions, type RendererRenderOptions, startRenderer } from './renderer.ts';
export { RendererBug, RendererDied, RenderFault } from './renderer-child.ts';
export { takeTurn } from './waiting.ts';
