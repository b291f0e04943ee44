export { RendererDied, RenderFault } from './errors.ts';
export { type Renderer, type RendererOptions, type RendererRenderOptions, startRenderer } from './renderer.ts';
export { takeTurn } from './take-turn.ts';
export { untilAborted } from './until-aborted.ts';
